"""The network as QuecPython sees it: is there a SIM, is it registered, is the data call up."""


def state():
    """{"sim", "registered", "data_call", "csq", "address"}; csq: 0-31, 99 not known"""
    import usr               # noqa: F401 - opens the door to QuecPython's world
    import radio
    return {"sim": radio.sim_status(), "registered": int(radio.is_registered()),
            "data_call": int(radio.is_called()), "csq": radio.signal(), "address": radio.addresses()[0]}


def radio(on=True):
    """Switch the radio on or off, as net.setModemFun; the shell over Wi-Fi goes with it."""
    import usr               # noqa: F401 - as above
    import net
    return net.setModemFun(1 if on else 0)


def follow():
    """Publish each change of the network under `NET` on the bus."""
    import usr               # noqa: F401 - as above
    from usr.bin.net_service import NetService
    service = NetService()
    if not service.status():
        service.start()
    if _told not in service.signal.receivers_for("anonymous"):
        service.subscribe(_told)
    return "NET"


def _told(sender, message):
    import sys_bus
    sys_bus.publish("NET", message["message"])


def help():
    return "state", "radio on=True", "follow"
