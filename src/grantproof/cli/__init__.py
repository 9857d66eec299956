"""The command line door: one file per command group, heavy imports inside the commands."""
