"""Policy as code: an organization in files, tested and applied."""

from grantproof.cli import policy_apply, policy_test
from grantproof.cli.command import command, group

app = group("Policy as code: an organization in files, tested and applied.")

command(app)(policy_apply.apply)
command(app, "test")(policy_test.run_tests)
