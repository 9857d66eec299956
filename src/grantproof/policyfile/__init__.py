"""Text and core: the documents in which facts, changes, organizations and answers are written."""
