"""The conformance kit: it plays the server to one device, and says which class the device earns."""
