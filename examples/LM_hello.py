"""A load module of ten lines: drop it on a node and call `hello hello name="Ann"`."""


def hello(name="you"):
    return "Hello {}, this node runs your code.".format(name)


def help():
    return ('hello name="Ann"',)
