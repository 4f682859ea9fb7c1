"""A load module of ten lines: drop it on a node and call `hello hello name="Ann"`."""


def hello(name="you"):
    return f"Hello {name}, this node runs your code."


def help():
    return ('hello name="Ann"',)
