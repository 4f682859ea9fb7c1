"""Where modules are found, and after an update that ours are found first. main.py has it done; then it is gone."""
import os
import sys

sys.path.extend(("/modules", "/boards"))
try:
    there = os.listdir("/")
    if ".update" in there or ".update~manifest" in there:      # a set was sent whole
        from Activate import run
        run()
    if "cleanup.pds" in os.listdir("/"):      # an update has ended; Settings takes the file away
        from Takeover import run
        run()
except Exception as error:                    # outer wall: nothing here may keep the node from booting
    sys.print_exception(error, sys.stdout)
sys.modules.pop("Takeover", None)
sys.modules.pop("Paths", None)
