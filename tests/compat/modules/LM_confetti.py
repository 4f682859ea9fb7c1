"""An effect on the strip of another module, by its state and its pixels."""
from LM_neopixel import Data, load_n_init


def throw():
    if Data.NEOPIXEL_OBJ is None:
        load_n_init(ledcnt=3)
    Data.NEOPIXEL_OBJ[1] = (1, 2, 3)
    Data.NEOPIXEL_OBJ.write()
    return Data.DCACHE
