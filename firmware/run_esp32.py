"""The board's main.py: the loader, which chooses the code that runs."""

from coinslot_fw import boot

boot.run("hal_esp32", "")
