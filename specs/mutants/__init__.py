"""Mechanical mutants: everything in the core that decides is changed, one place at a time.

What proofs read must be found out by the proofs alone, what is tested by the tests that the
manifest names for it. A survivor is a hole in a definition or a test, or it is the same function:
then that is proved. `python -m specs.mutants` is the command.
"""
