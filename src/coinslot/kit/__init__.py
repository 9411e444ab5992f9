"""What knows no business word: money flow clock ids codes secrets qr. A closed list."""
