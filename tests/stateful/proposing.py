"""A long administration: random commands of every type, proposed to one organization in turn.

What is watched after each of them is the business of the machines that inherit from this one.
"""

from dataclasses import replace
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from grantproof.core.commands import Accepted, Event, Rejected, apply
from grantproof.core.commands.language import (
    ChangeSet,
    Command,
    CreateClaim,
    CreateResource,
    DeleteClaim,
    DeleteGroup,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
    RemoveMember,
    RemoveParent,
    ResumePrincipal,
    RevokeGroupRole,
    RevokeRole,
    SingleCommand,
    SuspendPrincipal,
    UnnestGroup,
)
from grantproof.core.errors import Refusal
from grantproof.core.identifiers import (
    ClaimId,
    GroupId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import (
    Assignment,
    Claim,
    Fact,
    Group,
    GroupAssignment,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    Principal,
    Resource,
    Role,
    SodSet,
)
from grantproof.core.organization import Organization, facts
from tests.properties.tally import Tally
from tests.strategies.commands import change_sets, creations, edits, links, removals
from tests.strategies.crowded import crowds
from tests.strategies.names import FEW, some

# The names of a crowd, and of each type one that it has not.
MORE: Final = replace(
    FEW,
    principals=some(PrincipalId, "ann dan bob cid"),
    groups=some(GroupId, "staff club team unit"),
    roles=some(RoleId, "guest viewer editor owner auditor"),
    kinds=some(Kind, "document note folder"),
    resources=some(ResourceId, "docs memo docs/a docs/a/b mail"),
    claims=some(ClaimId, "c0 c1 c2 c3 c4 c5 c6 c7"),
    sod_sets=some(SodSetId, "s2 s0 s1"),
)


def taking(fact: Fact, *, cascade: bool) -> SingleCommand | None:
    """The command that takes the fact away."""
    match fact:
        case Principal():
            return DeletePrincipal(fact.id, cascade)
        case Group():
            return DeleteGroup(fact.id, cascade)
        case Role():
            return DeleteRole(fact.id, cascade)
        case KindDeclaration():
            return DeleteKind(fact.kind, cascade)
        case Resource():
            return DeleteResource(fact.id, cascade)
        case SodSet():
            return DeleteSodSet(fact.id, cascade)
        case Claim():
            return DeleteClaim(fact.id)
        case _:
            return cutting(fact)


def cutting(fact: Fact) -> SingleCommand | None:
    """The command that takes a link away."""
    match fact:
        case Membership():
            return RemoveMember(fact.principal, fact.group)
        case Nesting():
            return UnnestGroup(fact.group, fact.container)
        case Inheritance():
            return RemoveParent(fact.role, fact.parent)
        case Assignment():
            return RevokeRole(fact.principal, fact.role)
        case GroupAssignment():
            return RevokeGroupRole(fact.group, fact.role)
        case _:
            return None


def moved(state: Organization, resource: Resource, into: ResourceId | None) -> ChangeSet:
    """The change set that puts the resource, and all that is in it, into another place."""
    inside = [
        state.resources[name]
        for name in sorted(state.resources)
        if state.resources[name].parent == resource.id and name != into
    ]
    made = [CreateResource(replace(resource, parent=into)), *map(CreateResource, inside)]
    return ChangeSet((DeleteResource(resource.id, cascade=True), *made))


class Proposing(RuleBasedStateMachine):
    """Proposes commands; `accepted` and `rejected` are told what became of each."""

    tally: Tally

    def __init__(self) -> None:
        super().__init__()
        self.state: Organization

    @initialize(state=crowds())
    def begin(self, state: Organization) -> None:
        """Start from a crowded organization."""
        self.state = state

    @rule(command=creations(MORE))
    def create(self, command: Command) -> None:
        """Add an entity."""
        self.propose(command)

    @rule(command=links(MORE))
    def link(self, command: Command) -> None:
        """Connect two entities."""
        self.propose(command)

    @rule(command=edits(MORE))
    def edit(self, command: Command) -> None:
        """Change an entity."""
        self.propose(command)

    @rule(command=removals(MORE))
    def remove(self, command: Command) -> None:
        """Take something away that need not be there."""
        self.propose(command)

    @rule(which=st.integers(0, 60), cascade=st.booleans())
    def take(self, which: int, cascade: bool) -> None:
        """Take something away that is there."""
        there = sorted(facts(self.state), key=repr)
        command = taking(there[which % len(there)], cascade=cascade) if there else None
        if command is not None:
            self.propose(command)

    @rule(command=change_sets(MORE, size_max=3))
    def change(self, command: Command) -> None:
        """Several commands as one."""
        self.propose(command)

    @rule(which=st.integers(0, 60))
    def redo(self, which: int) -> None:
        """Suspend and resume, or take away and give back, in one change set."""
        there = sorted(facts(self.state), key=repr)
        fact = there[which % len(there)] if there else None
        match fact:
            case Principal():
                turn = (SuspendPrincipal(fact.id), ResumePrincipal(fact.id))
                self.propose(ChangeSet(turn if fact.active else turn[::-1]))
            case Claim():
                self.propose(ChangeSet((DeleteClaim(fact.id), CreateClaim(fact))))
            case _:
                pass

    @rule(which=st.integers(0, 4), into=st.none() | MORE.resources)
    def move(self, which: int, into: ResourceId | None) -> None:
        """Put a resource into another, or into none."""
        for name in sorted(self.state.resources)[which : which + 1]:
            self.propose(moved(self.state, self.state.resources[name], into))

    def propose(self, command: Command) -> None:
        """Apply the command and tell what became of it."""
        before = self.state
        result = apply(before, command, actor="eve", instant=0)
        name = type(command).__name__
        match result:
            case Accepted():
                self.tally.saw(f"{name}_accepted")
                self.state = result.state
                self.accepted(before, result.event)
            case Rejected():
                self.tally.saw(f"{name}_refused")
                self.rejected(before, result.refusal)

    def accepted(self, before: Organization, event: Event) -> None:
        """The command made the event, and `self.state` out of the state before."""

    def rejected(self, before: Organization, refusal: Refusal) -> None:
        """The command was refused."""
