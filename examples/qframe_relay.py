"""A QFrame program: what comes on the UART goes to a TCP server, and back. Copy it to /usr/qframe_relay.py.

/usr/dev.json: {"TCP_SERVER": {"host": "192.168.1.10", "port": 4000}, "UART": {"port": 2, "baudrate": 115200}}
Type `qframe start qframe_relay`; at boot: boothook = qframe start qframe_relay
"""
from usr.qframe import Application, CurrentApp, TcpClient, Uart
from usr.qframe.logging import getLogger

logger = getLogger(__name__)


class Server(TcpClient):
    def recv_callback(self, data):
        CurrentApp().uart.write(data)


class Line(Uart):
    def recv_callback(self, data):
        if not CurrentApp().server.send(data):
            logger.warn("no server, lost: " + str(len(data)) + " bytes")


def create_app(config_path="/usr/dev.json"):
    made = Application("relay")
    made.config.from_json(config_path)
    Line("uart", made)
    Server("server", made)
    return made


app = create_app()

if __name__ == "__main__":
    app.mainloop()
