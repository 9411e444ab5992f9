"""Kitchen printers: one that takes ESC/POS over TCP, two that poll; their paper is a picture."""
