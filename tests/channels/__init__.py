"""One contract suite over every channel, and what is special to each."""
