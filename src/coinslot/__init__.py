"""A paid QR makes the machine drop a can, or the money goes back."""
