"""Programs written for QuecPython, and the frameworks that they import: their world opens with the first of them."""
from quec import door

door.enter()
