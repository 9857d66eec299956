"""Mechanical mutants: everything in the core that decides is changed, one place at a time.

What proofs read must be found out by the proofs, what none reads by the unit tests of its module.
A survivor is a hole in a definition or a test, or it is the same function, with a proof or, where
no proof reads it, with a reason. `python -m specs.mutants` is the command.
"""
