"""Coffee machines: what the code on a screen sells, one command for each cup, and what becomes of
it when nobody knows."""
