"""What people would take instead of us, measured with the same loader."""
