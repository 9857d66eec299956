"""Documents in folders, with viewers, editors and owners."""
