"""Policy as code: organizations as files that are kept, checked and reviewed like a program.

One file per command. `import` and `export` are the commands of the same names at the top.
"""

from grantproof.cli import policy_check, policy_fmt, policy_schema, transfer
from grantproof.cli.command import command, group

app = group("Policies as files: check, format, describe, import and export them.")

command(app)(policy_check.check)
command(app)(policy_fmt.fmt)
command(app)(policy_schema.schema)
command(app, "import")(transfer.import_)
command(app)(transfer.export)
