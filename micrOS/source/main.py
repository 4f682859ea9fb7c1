"""First file the firmware runs: folders on the path, then the loader."""
try:
    __import__("Paths")          # not by name: nothing of it stays in memory
except ImportError:
    pass                         # an update that was cut off: the loader can still take the rest

import micrOSloader

micrOSloader.main()
