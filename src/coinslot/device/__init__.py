"""The connections of the machines. It decides nothing."""
