"""Which code this is. The builder of an image writes this file anew, from the image's manifest."""

VERSION = "1.0.0"
SEQUENCE = 1
