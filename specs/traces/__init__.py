"""Traces of the real service on real databases, each held by TLC to `tla/TraceAdministration`.

Threads and processes race through `AdministrationPoint` and the shipped store; what they read,
write, win and lose is recorded, and is a behaviour of the model or a fault of the code. `python -m
specs.traces` is the command, `run_all` in `run.py` the function.
"""
