#!/usr/bin/env python3
"""The toolkit's front door: hands the command line to toolkit.commands."""
import sys

from toolkit.commands import main

if __name__ == "__main__":
    sys.exit(main())
