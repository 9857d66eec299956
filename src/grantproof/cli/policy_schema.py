"""`grantproof policy schema`: the JSON Schema of policy files, for editors."""

from grantproof.cli.operator import Operator
from grantproof.cli.output import tell_text


def schema(_operator: Operator) -> None:
    """Print the JSON Schema of policy files, by which editors complete and check them."""
    from grantproof.policyfile.policy_schema import write_schema

    tell_text(write_schema())
