"""Practice machines: played by the installation itself."""
