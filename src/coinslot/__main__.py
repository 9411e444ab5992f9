"""The command line: `coinslot --help` teaches the rest."""

import gc
import sys

# Half a second of each start is imports, which leave nothing to collect: looking for it after each
# 700 objects is a sixth of that. A server's requests leave little as well.
gc.set_threshold(50_000)

from coinslot.commands import build  # noqa: E402


def main() -> None:
    build(*sys.argv[1:2])()


if __name__ == "__main__":
    main()
