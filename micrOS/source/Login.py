"""Judges a password that a client of the shell has sent; in memory only for that."""
from Time import seconds
from pure.guard import attempt
from pure.lazy import unload
from pure.secret import same


def answer(node, peer, password):
    """(trusted, the answer). peer: address of the client; too many wrong ones make it wait longer and longer."""
    is_right = same(password.encode(), node.config.get("appwd").encode())
    is_trusted, wait_s = attempt(node.failures, peer, seconds(), is_right)
    unload("pure.guard", "pure.secret")
    if is_trusted:
        return True, "AuthOk"
    return False, "AuthFailed{}\nBye!".format(": too many tries, wait {} s".format(wait_s) if wait_s else "")
