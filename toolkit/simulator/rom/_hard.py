"""Interrupt handlers that asked for `hard=True`: they may not allocate, and one that raises is not called again."""
import sys

from micropython import heap_lock, heap_unlock


def locked(pin, handler):
    """The handler with the heap locked around it, as it is inside of a real interrupt."""
    def run(argument):
        failure = None
        heap_lock()
        try:
            handler(argument)
        except Exception as error:
            failure = error
        heap_unlock()
        if failure is not None:
            pin.irq(None)
            sys.stdout.write("Uncaught exception in IRQ callback handler\n")
            sys.print_exception(failure, sys.stdout)
    return run
