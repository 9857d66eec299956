"""Strategies for commands: each legal as a value, whether or not an organization accepts it."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    ChangeSet,
    ChangeSodSet,
    Command,
    CreateClaim,
    CreateGroup,
    CreateGuardrail,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    DeleteClaim,
    DeleteGroup,
    DeleteGuardrail,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
    NestGroup,
    RemoveMember,
    RemoveParent,
    ResumePrincipal,
    RevokeGroupRole,
    RevokeRole,
    SetPrincipalAttributes,
    SetResourceAttributes,
    SingleCommand,
    SuspendPrincipal,
    UnnestGroup,
)
from tests.strategies.entities import claims, guardrails, resources, sod_sets
from tests.strategies.names import ANY, Names, once
from tests.strategies.values import attribute_maps, tuples_of, validities


@once
def creations(names: Names = ANY) -> SearchStrategy[SingleCommand]:
    """Commands that add an entity."""
    return st.one_of(
        st.builds(CreateResource, resources(names)),
        st.builds(CreateClaim, claims(names)),
        st.builds(CreateSodSet, sod_sets(names)),
        st.builds(CreatePrincipal, names.principals, attribute_maps(names)),
        st.builds(CreateGroup, names.groups),
        st.builds(CreateRole, names.roles),
        st.builds(CreateKind, names.kinds),
        st.builds(CreateGuardrail, guardrails(names)),
    )


@once
def links(names: Names = ANY) -> SearchStrategy[SingleCommand]:
    """Commands that connect entities."""
    return st.one_of(
        st.builds(AssignRole, names.principals, names.roles, validities(names)),
        st.builds(AssignGroupRole, names.groups, names.roles, validities(names)),
        st.builds(AddMember, names.principals, names.groups),
        st.builds(NestGroup, names.groups, names.groups),
        st.builds(AddParent, names.roles, names.roles),
    )


@once
def edits(names: Names = ANY) -> SearchStrategy[SingleCommand]:
    """Commands that change an entity and leave it there."""
    return st.one_of(
        st.builds(SuspendPrincipal, names.principals),
        st.builds(ResumePrincipal, names.principals),
        st.builds(SetPrincipalAttributes, names.principals, attribute_maps(names)),
        st.builds(SetResourceAttributes, names.resources, attribute_maps(names)),
        st.builds(ChangeSodSet, sod_sets(names)),
    )


@once
def removals(names: Names = ANY) -> SearchStrategy[SingleCommand]:
    """Commands that delete an entity, cascading or not, or take a link away."""
    return st.one_of(
        st.builds(RevokeRole, names.principals, names.roles),
        st.builds(RevokeGroupRole, names.groups, names.roles),
        st.builds(RemoveMember, names.principals, names.groups),
        st.builds(UnnestGroup, names.groups, names.groups),
        st.builds(RemoveParent, names.roles, names.roles),
        st.builds(DeleteClaim, names.claims),
        st.builds(DeletePrincipal, names.principals, st.booleans()),
        st.builds(DeleteGroup, names.groups, st.booleans()),
        st.builds(DeleteRole, names.roles, st.booleans()),
        st.builds(DeleteKind, names.kinds, st.booleans()),
        st.builds(DeleteResource, names.resources, st.booleans()),
        st.builds(DeleteSodSet, names.sod_sets, st.booleans()),
        st.builds(DeleteGuardrail, names.guardrails),
    )


@once
def single_commands(names: Names = ANY) -> SearchStrategy[SingleCommand]:
    """Commands of every type."""
    return st.one_of(creations(names), links(names), edits(names), removals(names))


@once
def change_sets(names: Names = ANY, *, size_max: int = 4) -> SearchStrategy[ChangeSet]:
    """Sets of one to `size_max` commands."""
    several = st.lists(single_commands(names), min_size=1, max_size=size_max)
    return several.map(lambda commands: ChangeSet(tuple(commands)))


@once
def commands(names: Names = ANY) -> SearchStrategy[Command]:
    """Commands of every type and change sets."""
    single = single_commands(names)
    return st.one_of(single, single, single, change_sets(names))


@once
def command_lists(
    names: Names = ANY, *, size_max: int = 8
) -> SearchStrategy[tuple[SingleCommand, ...]]:
    """Sequences of commands, the empty one included."""
    return tuples_of(single_commands(names), size_max=size_max)
