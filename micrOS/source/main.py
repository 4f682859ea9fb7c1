"""First file the firmware runs: folders on the path, then the loader."""
import gc
import sys

gc.threshold(16384)      # while modules are loaded: what stays shall not be strewn over a heap full of garbage
sys.path.extend(("/modules", "/boards"))

import micrOSloader

micrOSloader.main()
