"""`grantproof policy ...`: policies as files."""

from grantproof.cli import policy_convert
from grantproof.cli.command import command, group

app = group("Policies as files.")
command(app, "convert")(policy_convert.convert)
