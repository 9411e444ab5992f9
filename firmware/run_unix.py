"""One boot of a board, on the unix port: `micropython run_unix.py FACTORY FOLDER`. FACTORY has the
compiled modules that a board leaves the factory with."""

import sys

sys.path.insert(0, sys.argv[1])

__import__("coinslot_fw.boot").boot.run("hal_unix", sys.argv[2])
