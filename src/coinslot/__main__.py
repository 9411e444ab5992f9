"""The command line: `coinslot --help` teaches the rest."""

from coinslot.commands import build


def main() -> None:
    build()()


if __name__ == "__main__":
    main()
