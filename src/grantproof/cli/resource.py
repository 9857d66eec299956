"""Resources: what is protected."""

from typing import Annotated

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import absent, usage
from grantproof.cli.operator import Operator
from grantproof.cli.options import Attributes, Cascade, Clear, Pairs
from grantproof.cli.output import NOTHING, Table, listed, tell_fields, tell_json, tell_table

app = group("Resources: what is protected.")

ResourceArgument = Annotated[str, typer.Argument(metavar="RESOURCE", help="The resource's id.")]
Kind = Annotated[str, typer.Option("--kind", metavar="KIND", help="A declared kind.")]
Parent = Annotated[
    str | None, typer.Option("--parent", metavar="RESOURCE", help="The resource around it.")
]


@command(app)
def create(
    operator: Operator,
    resource: ResourceArgument,
    *,
    kind: Kind,
    parent: Parent = None,
    attribute: Attributes = None,
) -> None:
    """Register a resource."""
    from grantproof.cli.values import typed_attributes
    from grantproof.core import identifiers
    from grantproof.core.commands.language import CreateResource
    from grantproof.core.model import Resource

    new = Resource(
        identifiers.ResourceId(resource),
        identifiers.Kind(kind),
        None if parent is None else identifiers.ResourceId(parent),
        typed_attributes(attribute or []),
    )
    operator.propose(CreateResource(new), done=f"created resource `{resource}`")


@command(app, "list")
def list_all(operator: Operator) -> None:
    """List the registered resources."""
    from grantproof.cli.shown import attribute_pairs
    from grantproof.policyfile import documents

    state = operator.state
    resources = [state.resources[name] for name in sorted(state.resources)]
    if operator.json:
        tell_json([documents.Resource.of(one).written() for one in resources])
        return
    rows = [
        (one.id, one.kind, listed(filter(None, [one.parent])), attribute_pairs(one.attributes))
        for one in resources
    ]
    tell_table(Table(("resource", "kind", "parent", "attributes"), rows))


@command(app)
def show(operator: Operator, resource: ResourceArgument) -> None:
    """Show a resource: its kind, where it is and what is inside."""
    from grantproof.cli.shown import attribute_pairs
    from grantproof.core.identifiers import ResourceId
    from grantproof.core.matching import lineage
    from grantproof.policyfile import documents

    state, name = operator.state, ResourceId(resource)
    found = state.resources.get(name)
    if found is None:
        raise absent("resource", resource)
    inside = sorted(state.resources_in_parent.get(name, ()))
    if operator.json:
        tell_json({**documents.Resource.of(found).written(), "children": inside})
        return
    tell_fields(
        [
            ("resource", found.id),
            ("kind", found.kind),
            ("inside of", " < ".join(lineage(state, name)[1:]) or NOTHING),
            ("attributes", attribute_pairs(found.attributes)),
            ("children", listed(inside)),
        ]
    )


@command(app)
def attributes(
    operator: Operator, resource: ResourceArgument, pairs: Pairs = None, *, clear: Clear = False
) -> None:
    """Replace the attributes of a resource: those that are not given are removed."""
    from grantproof.cli.values import typed_attributes
    from grantproof.core.commands.language import SetResourceAttributes
    from grantproof.core.identifiers import ResourceId

    if clear == bool(pairs):
        raise usage("give all the attributes as name=value, or --clear to remove every one")
    change = SetResourceAttributes(ResourceId(resource), typed_attributes(pairs or []))
    operator.propose(change, done=f"replaced the attributes of resource `{resource}`")


@command(app)
def delete(operator: Operator, resource: ResourceArgument, *, cascade: Cascade = False) -> None:
    """Delete a resource."""
    from grantproof.core.commands.language import DeleteResource
    from grantproof.core.identifiers import ResourceId

    operator.propose(
        DeleteResource(ResourceId(resource), cascade), done=f"deleted resource `{resource}`"
    )
