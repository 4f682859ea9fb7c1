"""A meter of another author for our client: the server of gurux-dlms, a test-only peer, as far as it runs.

Its Python port is unfinished: what follows supplies names that it calls and does not have. The library is untouched.
"""
from gurux_dlms import GXByteBuffer, GXDLMSServer, GXHdlcSettings, GXServerReply
from gurux_dlms.enums import AccessMode, DataType, InterfaceType, MethodAccessMode, SourceDiagnostic, Unit
from gurux_dlms.objects import GXDLMSAssociationLogicalName, GXDLMSData, GXDLMSRegister

LONG = bytes(at * 3 & 0xFF for at in range(700))


def _of_java(thing, name):
    """setSize(n) and getSize() for who has only a field `size`."""
    field = name[3:4].lower() + name[4:]
    if not field or name[:3] not in ("get", "set"):
        raise AttributeError(name)
    return (lambda: getattr(thing, field)) if name[0] == "g" else lambda value: setattr(thing, field, value)


class _Reply(GXServerReply):
    def __getattr__(self, name):
        return _of_java(self, name)


class _Transaction:
    def __init__(self, one):
        self._one = one

    def __getattr__(self, name):
        return getattr(self._one, name, None) or _of_java(self._one, name)


class GuruxMeter(GXDLMSServer):
    """hear(octets) -> what it says."""

    def __init__(self, interface, password=None):
        super().__init__(True, interface)
        self._password = password
        self.settings.gbtWndowSize = 1
        if interface == InterfaceType.HDLC:
            self.hdlc = self.settings.hdlc = GXHdlcSettings()
            self.hdlc.inactivityTimeout = 0
        energy, long = GXDLMSRegister("1.0.1.8.0.255"), GXDLMSData("0.0.96.1.9.255")
        energy.value, energy.scaler, energy.unit = 1234567, 0.1, Unit.ACTIVE_ENERGY
        energy.setDataType(2, DataType.UINT32)
        long.value = bytearray(LONG)
        long.setDataType(2, DataType.OCTET_STRING)
        association = GXDLMSAssociationLogicalName()
        association.objectList = []
        for each in (energy, long, association):
            self.items.append(each)
        self.initialize()

    def hear(self, octets):
        reply = _Reply(bytearray(octets))
        self.handleRequest(reply)
        said = reply.reply
        return bytes(said.array()) if isinstance(said, GXByteBuffer) else bytes(said or b"")

    def __getattr__(self, name):
        if name.startswith("notify"):
            return lambda *_: None
        if name == "getTransaction":
            return lambda: _Transaction(self.transaction) if self.transaction else None
        return _of_java(self, name)

    def handleSnrmRequest(self, data):               # its own fails; ours agrees to what holds anyway
        self.settings.connected = 1

    def isTarget(self, server, client):
        return True

    def onValidateAuthentication(self, authentication, password):
        is_right = self._password is None or bytes(password or b"") == self._password
        return SourceDiagnostic.NONE if is_right else SourceDiagnostic.AUTHENTICATION_FAILURE

    def onGetAttributeAccess(self, arguments):
        return AccessMode.READ_WRITE

    def onGetMethodAccess(self, arguments):
        return MethodAccessMode.ACCESS

    def onFindObject(self, kind, short_name, name):
        return None

    def _nothing(self, *_):
        pass

    onConnected = onDisconnected = onInvalidConnection = _nothing          # noqa: N815
    onPreGet = onPostGet = onPreRead = onPostRead = onPreWrite = onPostWrite = onPreAction = onPostAction = _nothing
