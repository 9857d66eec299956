"""Kinds: what resources may be."""

from typing import Annotated

import typer

from grantproof.cli.command import command, group
from grantproof.cli.operator import Operator
from grantproof.cli.options import Cascade
from grantproof.cli.output import Table, tell_json, tell_table

app = group("Kinds of resources.")

KindArgument = Annotated[str, typer.Argument(metavar="KIND", help="The kind's name.")]


@command(app)
def create(operator: Operator, kind: KindArgument) -> None:
    """Declare a kind of resources."""
    from grantproof.core.commands.language import CreateKind
    from grantproof.core.identifiers import Kind

    operator.propose(CreateKind(Kind(kind)), done=f"created kind `{kind}`")


@command(app, "list")
def list_all(operator: Operator) -> None:
    """List the kinds, with how many resources are registered of each."""
    from grantproof.core.model import KindDeclaration
    from grantproof.policyfile import documents

    resources = operator.state.resources_of_kind
    kinds = sorted(resources)
    if operator.json:
        tell_json([documents.KindDeclaration.of(KindDeclaration(one)).written() for one in kinds])
        return
    tell_table(Table(("kind", "resources"), [(one, str(len(resources[one]))) for one in kinds]))


@command(app)
def delete(operator: Operator, kind: KindArgument, *, cascade: Cascade = False) -> None:
    """Withdraw a kind."""
    from grantproof.core.commands.language import DeleteKind
    from grantproof.core.identifiers import Kind

    operator.propose(DeleteKind(Kind(kind), cascade), done=f"deleted kind `{kind}`")
