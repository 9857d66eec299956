"""Policy as code: organizations as files that are kept, checked and reviewed like a program.

One file per command. `import` and `export` are the commands of the same names at the top.
"""

from grantproof.cli import (
    policy_apply,
    policy_check,
    policy_convert,
    policy_diff,
    policy_fmt,
    policy_schema,
    policy_test,
    transfer,
)
from grantproof.cli.command import command, group

app = group("Policies as files: check, test, compare, format, convert, apply, import, export.")

command(app)(policy_check.check)
command(app, "test")(policy_test.run_tests)
command(app)(policy_diff.diff)
command(app)(policy_apply.apply)
command(app)(policy_fmt.fmt)
command(app)(policy_schema.schema)
command(app)(policy_convert.convert)
command(app, "import")(transfer.import_)
command(app)(transfer.export)
