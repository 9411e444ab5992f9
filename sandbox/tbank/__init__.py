"""T-Bank's acquiring emulated on its real wire: tokens, sessions, SBP codes, notifications."""
