"""How an organization differs from a document: the facts to remove, to add and to edit.

`ROWS` has a row for each type of fact: how the document writes it, what it is known by, what it
rests on, and the commands that make, remove and edit it. What the rows say is all that is known of
a type here; `reconciling` puts the commands in order.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from grantproof.core import model
from grantproof.core.commands import language as commands
from grantproof.core.commands.language import SingleCommand
from grantproof.core.model import Exactly, Fact, OfKind, Within
from grantproof.core.organization import Organization, facts
from grantproof.policyfile import documents
from grantproof.policyfile.organization_document import OrganizationDocument

Key = tuple[str, ...]
"""What a fact is known by among those of its type."""

Commands = tuple[SingleCommand, ...]


def _no_edit(before: Any, after: Any) -> None:
    """Return that nothing edits such a fact: it is removed, and made again."""
    del before, after


def _no_name(fact: Any) -> None:
    """Return that no other fact can refer to this one."""
    del fact


def _nothing(fact: Any) -> Iterable[str]:
    """Return that the fact rests on nothing that could be made again under it."""
    del fact
    return ()


@dataclass(frozen=True, slots=True)
class Row:
    """A type of fact, and all that reconciling must know of it.

    `wanted` gives the facts that a document writes. `name` is what others refer to the fact by:
    the id of a resource, `role:ID`, `kind:ID` and so on. `rests_on` are such names: while the fact
    stands, none of them can be deleted. `edit` gives nothing when only remaking the fact will do:
    so it must where the fact takes hold of another that itself may have to be made again, as a
    resource does by a new parent.
    """

    fact: type[Fact]
    wanted: Callable[[OrganizationDocument], Iterable[Fact]]
    key: Callable[[Any], Key]
    create: Callable[[Any], Commands]
    remove: Callable[[Any], SingleCommand]
    edit: Callable[[Any, Any], Commands | None] = _no_edit
    name: Callable[[Any], str | None] = _no_name
    rests_on: Callable[[Any], Iterable[str]] = _nothing


@dataclass(frozen=True, slots=True)
class Edit:
    """A fact that stays under its key, and is to be another."""

    before: Fact
    after: Fact


@dataclass(frozen=True, slots=True)
class Difference:
    """What must go, come and change; each in the order of the rows, then of the keys."""

    removed: tuple[Fact, ...]
    added: tuple[Fact, ...]
    edited: tuple[Edit, ...]

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return len(self.removed) + len(self.added) + len(self.edited) > 0


def difference(state: Organization, wanted: OrganizationDocument) -> Difference:
    """Return how the facts of the state differ from those of the document.

    That the organization once had an administrator is no part of a document, and none of this.
    """
    standing = by_type(facts(state))
    removed: list[Fact] = []
    added: list[Fact] = []
    edited: list[Edit] = []
    for row in ROWS:
        before = {row.key(fact): fact for fact in standing[row.fact]}
        after = {row.key(fact): fact for fact in row.wanted(wanted)}
        for key in sorted(before.keys() | after.keys()):
            old, new = before.get(key), after.get(key)
            if new is None and old is not None:
                removed.append(old)
            elif old is None and new is not None:
                added.append(new)
            elif old is not None and new is not None and old != new:
                edited.append(Edit(old, new))
    return Difference(tuple(removed), tuple(added), tuple(edited))


def changes_of(delta: model.Delta) -> Difference:
    """Return what a change does, told as `difference` tells it."""
    removed, added = _keyed(delta.removed), _keyed(delta.added)
    return Difference(
        tuple(fact for key, fact in removed.items() if key not in added),
        tuple(fact for key, fact in added.items() if key not in removed),
        tuple(Edit(fact, added[key]) for key, fact in removed.items() if key in added),
    )


def _keyed(changed: Iterable[Fact]) -> dict[tuple[int, Key], Fact]:
    """Return the facts by what they are known by, in the order of the rows, then of the keys."""
    places = {row.fact: place for place, row in enumerate(ROWS)}
    known = [fact for fact in changed if type(fact) in places]
    keyed = {(places[type(fact)], ROW_OF[type(fact)].key(fact)): fact for fact in known}
    return dict(sorted(keyed.items()))


def by_type(some: Iterable[Fact]) -> Mapping[type[Fact], list[Fact]]:
    """Return the facts of each type, in their order; of a type that has none an empty list."""
    found: defaultdict[type[Fact], list[Fact]] = defaultdict(list)
    for fact in some:
        found[type(fact)].append(fact)
    return found


def _inheritances(document: OrganizationDocument) -> Iterator[Fact]:
    for role in document.roles:
        yield from (model.Inheritance(role.id, parent) for parent in role.parents)


def _principal(principal: model.Principal) -> Commands:
    made = commands.CreatePrincipal(principal.id, principal.attributes)
    return (made,) if principal.active else (made, commands.SuspendPrincipal(principal.id))


def _principal_edited(before: model.Principal, after: model.Principal) -> Commands:
    attributes, active = before.attributes != after.attributes, before.active != after.active
    turn = commands.ResumePrincipal if after.active else commands.SuspendPrincipal
    return (
        *((commands.SetPrincipalAttributes(after.id, after.attributes),) if attributes else ()),
        *((turn(after.id),) if active else ()),
    )


def _resource_edited(before: model.Resource, after: model.Resource) -> Commands | None:
    if (before.kind, before.parent) != (after.kind, after.parent):
        return None
    return (commands.SetResourceAttributes(after.id, after.attributes),)


def _under_resource(resource: model.Resource) -> Iterator[str]:
    yield f"kind:{resource.kind}"
    if resource.parent is not None:
        yield resource.parent


def _under_guardrail(guardrail: model.Guardrail) -> Iterator[str]:
    for named in guardrail.names:
        yield f"kind:{named.kind}" if isinstance(named, OfKind) else str(named.value)


def _under_claim(claim: model.Claim) -> Iterator[str]:
    yield f"role:{claim.role}"
    match claim.resource:
        case Exactly(resource) | Within(resource):
            yield resource
        case OfKind(kind):
            yield f"kind:{kind}"
        case model.Any():
            return


ROWS: Final = (
    Row(
        model.KindDeclaration,
        wanted=lambda document: (entry.core() for entry in document.kinds),
        key=lambda declared: (declared.kind,),
        create=lambda declared: (commands.CreateKind(declared.kind),),
        remove=lambda declared: commands.DeleteKind(declared.kind),
        name=lambda declared: f"kind:{declared.kind}",
    ),
    Row(
        model.Resource,
        wanted=lambda document: (entry.core() for entry in document.resources),
        key=lambda resource: (resource.id,),
        create=lambda resource: (commands.CreateResource(resource),),
        remove=lambda resource: commands.DeleteResource(resource.id),
        edit=_resource_edited,
        name=lambda resource: str(resource.id),
        rests_on=_under_resource,
    ),
    Row(
        model.Group,
        wanted=lambda document: (entry.core() for entry in document.groups),
        key=lambda group: (group.id,),
        create=lambda group: (commands.CreateGroup(group.id),),
        remove=lambda group: commands.DeleteGroup(group.id),
        name=lambda group: f"group:{group.id}",
    ),
    Row(
        model.Role,
        wanted=lambda document: (model.Role(entry.id) for entry in document.roles),
        key=lambda role: (role.id,),
        create=lambda role: (commands.CreateRole(role.id),),
        remove=lambda role: commands.DeleteRole(role.id),
        name=lambda role: f"role:{role.id}",
    ),
    Row(
        model.Principal,
        wanted=lambda document: (entry.core() for entry in document.principals),
        key=lambda principal: (principal.id,),
        create=_principal,
        remove=lambda principal: commands.DeletePrincipal(principal.id),
        edit=_principal_edited,
    ),
    Row(
        model.SodSet,
        wanted=lambda document: (entry.core() for entry in document.sod_sets),
        key=lambda sod_set: (sod_set.id,),
        create=lambda sod_set: (commands.CreateSodSet(sod_set),),
        remove=lambda sod_set: commands.DeleteSodSet(sod_set.id),
        edit=lambda _, after: (commands.ChangeSodSet(after),),
        name=lambda sod_set: f"sod-set:{sod_set.id}",
        rests_on=lambda sod_set: (f"role:{role}" for role in sod_set.roles),
    ),
    Row(
        model.Claim,
        wanted=lambda document: (entry.core() for entry in document.claims),
        key=lambda claim: (claim.id,),
        create=lambda claim: (commands.CreateClaim(claim),),
        remove=lambda claim: commands.DeleteClaim(claim.id),
        rests_on=_under_claim,
    ),
    Row(
        model.Inheritance,
        wanted=_inheritances,
        key=lambda edge: (edge.role, edge.parent),
        create=lambda edge: (commands.AddParent(edge.role, edge.parent),),
        remove=lambda edge: commands.RemoveParent(edge.role, edge.parent),
    ),
    Row(
        model.Nesting,
        wanted=lambda document: (entry.core() for entry in document.nestings),
        key=lambda edge: (edge.group, edge.container),
        create=lambda edge: (commands.NestGroup(edge.group, edge.container),),
        remove=lambda edge: commands.UnnestGroup(edge.group, edge.container),
    ),
    Row(
        model.Membership,
        wanted=lambda document: (entry.core() for entry in document.memberships),
        key=lambda member: (member.principal, member.group),
        create=lambda member: (commands.AddMember(member.principal, member.group),),
        remove=lambda member: commands.RemoveMember(member.principal, member.group),
    ),
    Row(
        model.Assignment,
        wanted=lambda document: (
            entry.core()
            for entry in document.assignments
            if isinstance(entry, documents.Assignment)
        ),
        key=lambda held: (held.principal, held.role),
        create=lambda held: (commands.AssignRole(held.principal, held.role, held.validity),),
        remove=lambda held: commands.RevokeRole(held.principal, held.role),
    ),
    Row(
        model.GroupAssignment,
        wanted=lambda document: (
            entry.core()
            for entry in document.assignments
            if isinstance(entry, documents.GroupAssignment)
        ),
        key=lambda held: (held.group, held.role),
        create=lambda held: (commands.AssignGroupRole(held.group, held.role, held.validity),),
        remove=lambda held: commands.RevokeGroupRole(held.group, held.role),
    ),
    Row(
        model.Guardrail,
        wanted=lambda document: (entry.core() for entry in document.guardrails),
        key=lambda guardrail: (guardrail.id,),
        create=lambda guardrail: (commands.CreateGuardrail(guardrail),),
        remove=lambda guardrail: commands.DeleteGuardrail(guardrail.id),
        rests_on=_under_guardrail,
    ),
)
"""In the order in which facts are made; they are removed in the reverse.

INVARIANT: a fact stands below what it rests on. Separation-of-duty sets stand above every link that
could break one: while the old links go the old sets are kept, and when new links come the new sets
are there already. So an order of commands that follows the rows breaks no set on its way.
"""

ROW_OF: Final[Mapping[type[Fact], Row]] = {row.fact: row for row in ROWS}
