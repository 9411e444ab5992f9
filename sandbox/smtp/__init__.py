"""A mail server that delivers into a book: what came, for whom, and what went wrong on purpose."""
