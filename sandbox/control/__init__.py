"""The control page: a customer's phone on the left, machines on the right, the weather beside."""
