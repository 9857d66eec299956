"""Expenses, which nobody both submits and approves."""
