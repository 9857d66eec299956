"""The verification gate: `python -m specs.gate`, which is `make verify`.

Every stage runs in a process of its own and reports what it saw, row by row. Whatever is not a
pass is a failure: refuted, unknown, time-out, skipped, nothing reported, fewer than there were.
"""
