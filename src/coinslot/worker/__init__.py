"""Runs the chores of other rooms when their rows are due."""
