"""Runnable applications that ask Grantproof what their people may do: see README.md."""
