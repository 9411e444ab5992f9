"""One contract suite over every gateway, and what is special to each."""
