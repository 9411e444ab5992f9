"""The tests, by folder: the name of each is a sentence about behaviour."""
