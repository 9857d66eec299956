"""Policy as code: organizations as files that are kept, checked and reviewed like a program.

One file per command.
"""

from grantproof.cli import policy_diff
from grantproof.cli.command import command, group

app = group("Policies as files: compare them with each other and with what is stored.")

command(app)(policy_diff.diff)
