"""The rules of Grantproof, and nothing else: pure values and pure functions.

Standard library and `immutables` only. No I/O, clock, randomness or logging, so that every
function here can be proved, replayed and tested from its source alone.
"""
