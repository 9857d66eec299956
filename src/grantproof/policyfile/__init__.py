"""Text and core: the documents in which facts, changes and organizations are written and read."""
