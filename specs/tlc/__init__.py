"""Runs TLC on the models in `tla` and holds it to what it must say of each.

`python -m specs.tlc` is the command, `run_all` the function. A model that is meant to fail must
fail with its own exit code and its own property.
"""
