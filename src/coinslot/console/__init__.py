"""The pages of the people who run machines: they read forms, call verbs of the rooms below, and
decide nothing."""
