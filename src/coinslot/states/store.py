"""The statements of this room, by name: states."""

TELL = "SELECT tell($1, $2, $3, $4, $5, $6)"
