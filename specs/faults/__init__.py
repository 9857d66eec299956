"""Seeded faults: patches to the production source that a gate must catch, each at its own gate.

`python -m specs.faults` is the command. Every fault is judged in two halves: without the patch its
gate holds, with the patch it fails, and a small organization shows what goes wrong.
"""
