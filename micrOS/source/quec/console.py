"""What guests say on the node's console; on QuecPython it is their print()."""
import sys


def say(text):
    sys.stdout.write("{}\n".format(text))
