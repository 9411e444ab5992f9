"""The auditor, the comparison of the books, and the queue of what wants a person."""
