"""The electricity meter solution's application: a meter on the UART, joined with a TCP server."""
import checkNet
from usr.business import client, rfc1662resolver, uart
from usr.qframe import Application

PROJECT_NAME = "QuecPython_Framework_DEMO"
PROJECT_VERSION = "1.0.0"


def poweron_print_once():
    checkNet.CheckNetwork(PROJECT_NAME, PROJECT_VERSION).poweron_print_once()


def create_app(name="DTU", config_path="/usr/dev.json"):
    """The application, its settings read and its extensions registered in the order in which they load."""
    made = Application(name)
    made.config.from_json(config_path)
    for extension in (rfc1662resolver, uart, client):
        extension.init_app(made)
    return made


app = create_app()

if __name__ == "__main__":
    poweron_print_once()
    app.mainloop()
