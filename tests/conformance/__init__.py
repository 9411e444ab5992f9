"""The conformance kit, against machines that keep the protocol and machines that do not."""
