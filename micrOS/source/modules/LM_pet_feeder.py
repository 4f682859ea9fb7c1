"""Serves pet food by servo 1 or by the stepper motor, a portion at a time."""
from asyncio import sleep_ms
from micropython import const

from Common import micro_task
from Drives import whole

TASK = "pet_feeder.portion"
_MOST = const(100)            # portions in one go
_TURN_MS = const(1000)        # the food needs longer than the servo


def _is_serving():
    task = micro_task(TASK)
    return bool(task and task.active)


def serve(portion=1, posmin=65, posmax=97):
    """Open (posmax) and close (posmin) servo 1, duties 40-115, for each of 1-100 portions, in the background."""
    import LM_servo                # a feeder has the one motor or the other
    whole("portion", portion, 1, _MOST)
    whole("posmin", posmin, 40, 115)
    whole("posmax", posmax, 40, 115)
    if _is_serving():
        return "Already running"
    LM_servo.sduty(posmin)         # raises when there is no servo
    micro_task(TASK, _by_servo(LM_servo, portion, posmin, posmax))
    return "Starting"


async def _by_servo(servo, portion, posmin, posmax):
    try:
        for _ in range(portion):
            servo.sduty(posmax)
            await sleep_ms(_TURN_MS)
            servo.sduty(posmin)
            await sleep_ms(_TURN_MS)
    finally:
        servo.deinit()


def serve_w_stepper(portion=1, forward=135, back=10):
    """Turn the stepper motor forward and a bit back, in steps of LM_stepper, for each of 1-100 portions."""
    import LM_stepper
    whole("portion", portion, 1, _MOST)
    whole("forward", forward, 0, 10000)
    whole("back", back, 0, 10000)
    if _is_serving():
        raise ValueError("a portion is on its way; task kill {} ends it".format(TASK))
    LM_stepper.step(0)             # raises when there is no motor
    micro_task(TASK, _by_stepper(LM_stepper, portion, forward, back))


async def _by_stepper(stepper, portion, forward, back):
    try:
        for _ in range(portion):
            stepper.step(forward)
            stepper.step(-back)
            await micro_task("stepper._move").wait()
    finally:
        stepper.standby()


def lmdep():
    return "servo", "stepper"


def help():
    return "serve portion=1 posmin=65 posmax=97", "serve_w_stepper portion=1 forward=135 back=10", "lmdep"
