"""First file the firmware runs: folders on the path, then the loader."""
import sys

sys.path.extend(("/modules", "/boards"))

import micrOSloader

micrOSloader.main()
