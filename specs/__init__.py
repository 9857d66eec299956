"""Proofs, models and faults: what holds the product to its properties, and must not be in it."""
