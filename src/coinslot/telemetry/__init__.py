"""What machines say of themselves, and what follows from it."""
