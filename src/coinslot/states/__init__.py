"""The tables of states and moves that all rooms share, and the only writer of a state."""
