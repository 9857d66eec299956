"""`grantproof policy schema`: the JSON Schema of policy files and of their tests, for editors."""

from typing import Annotated, Literal

import typer

from grantproof.cli.operator import Operator
from grantproof.cli.output import tell_text

Of = Annotated[
    Literal["organization", "test"],
    typer.Argument(
        metavar="organization|test", help="Of which files: policies, or tests of policies."
    ),
]


def schema(_operator: Operator, of: Of = "organization") -> None:
    """Print the JSON Schema of policy files, or of their tests, by which editors check them."""
    from grantproof.policyfile.policy_schema import write_schema
    from grantproof.policyfile.policy_test_document import write_test_schema

    tell_text(write_schema() if of == "organization" else write_test_schema())
