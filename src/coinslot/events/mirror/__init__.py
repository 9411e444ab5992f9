"""The mirror in a Firebase Realtime Database."""
