"""The Telegram bot of a node that has no token."""
from Common import notify
from Notify import Telegram


def tell(text):
    return notify(text)


def bot():
    telegram = Telegram()
    return [telegram.send_msg('x'), telegram.get_msg(), telegram.receive_eval(), telegram.set_commands()]
