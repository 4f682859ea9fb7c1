"""QFrame's extensions that come with it."""


def __getattr__(name):
    where = {"SmsClient": "clients", "TcpClient": "clients", "Uart": "uart", "NetWork": "network"}
    module = __import__("usr.qframe.builtins." + where.get(name, name), None, None, (name,))
    return getattr(module, name) if name in where else module
