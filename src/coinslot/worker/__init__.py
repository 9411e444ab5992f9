"""The chores that rooms export, run when their rows are due."""
