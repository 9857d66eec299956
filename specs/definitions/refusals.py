"""On which grounds a command is refused, and when what a refusal names is true. P-REJECT.

A table a ground: what a command needs to be there, what it would make that is there already, what
it may make more of and how many, what still refers to what it deletes.
"""

import typing
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import z3

from grantproof.core import limits
from grantproof.core import model as m
from grantproof.core.commands import language as c
from grantproof.core.guardrails import Named
from grantproof.core.identifiers import IMPLICIT_KINDS, ResourceId
from specs.definitions.deletions import ENTITY, depends_by_name, names_what_goes
from specs.definitions.facts import FACETS, pair
from specs.definitions.hierarchy import edge
from specs.definitions.references import implicit, is_named_by
from specs.kernel.membership import card
from specs.kernel.shapes import located
from specs.kernel.sorts import Name, Object, tag_is, typed
from specs.kernel.values import TRUE, Dict, Items, Symbolic, Term, cases
from specs.kernel.view import View, literal

Ids = Sequence[z3.ExprRef]
SET: Final = "separation-of-duty set"
STORED: Final = {
    "principal": lambda s: s.principals,
    "group": lambda s: s.groups.parents,
    "role": lambda s: s.roles.parents,
    "kind": lambda s: s.resources_of_kind,
    "resource": lambda s: s.resources,
    "claim": lambda s: s.claims,
    SET: lambda s: s.sod_sets,
    "guardrail": lambda s: s.guardrails,
}
"""Where what has an id of its own is kept, by noun."""
OF_GROUPS: Final = (c.AssignGroupRole, c.RevokeGroupRole, c.DeleteGroup)


def is_there(state: View, noun: str, ids: Ids, *, of_groups: bool = False) -> z3.BoolRef:
    """Return whether what the noun and the ids name is there; a group's assignment if so asked."""
    if noun in STORED:
        return STORED[noun](state).has(ids[0])
    if noun in {"nesting", "parent"}:
        graph = state.groups if noun == "nesting" else state.roles
        return edge(graph.parents.value, *ids)
    held = "group_assignments" if of_groups else "assignments"
    return pair(state.field("memberships" if noun == "membership" else held), *ids)


@dataclass(frozen=True)
class Need:
    """Something that must be there, under a condition; with binders, for each."""

    noun: str
    ids: Ids
    when: z3.BoolRef = TRUE
    binders: Ids = ()

    def some(self, condition: z3.BoolRef) -> z3.BoolRef:
        """Return whether one is needed of which the condition holds."""
        body = z3.And(self.when, condition)
        return z3.Exists(list(self.binders), body) if self.binders else body


NAMED: Final[dict[type, tuple[tuple[str, ...], ...]]] = {
    c.DeletePrincipal: (("principal", "principal"),),
    c.SuspendPrincipal: (("principal", "principal"),),
    c.ResumePrincipal: (("principal", "principal"),),
    c.SetPrincipalAttributes: (("principal", "principal"),),
    c.DeleteGroup: (("group", "group"),),
    c.AddMember: (("principal", "principal"), ("group", "group")),
    c.RemoveMember: (("membership", "principal", "group"),),
    c.NestGroup: (("group", "group"), ("group", "container")),
    c.UnnestGroup: (("nesting", "group", "container"),),
    c.DeleteRole: (("role", "role"),),
    c.AddParent: (("role", "role"), ("role", "parent")),
    c.RemoveParent: (("parent", "role", "parent"),),
    c.DeleteKind: (("kind", "kind"),),
    c.DeleteResource: (("resource", "resource"),),
    c.SetResourceAttributes: (("resource", "resource"),),
    c.DeleteClaim: (("claim", "claim"),),
    c.DeleteSodSet: ((SET, "sod_set"),),
    c.DeleteGuardrail: (("guardrail", "guardrail"),),
    c.AssignRole: (("principal", "principal"), ("role", "role")),
    c.RevokeRole: (("assignment", "principal", "role"),),
    c.AssignGroupRole: (("group", "group"), ("role", "role")),
    c.RevokeGroupRole: (("assignment", "group", "role"),),
}
"""What a command refers to: a noun, and the fields that name it."""


def needs(state: View, command: View, cls: type) -> list[Need]:
    """Return everything that the command needs to be there."""
    if cls is c.CreateClaim:
        return _of_claim(state, command.claim)
    if cls is c.CreateResource:
        made = command.resource
        parent = Need("resource", (made.parent(),), made.parent.there)
        return [Need("kind", (made.field("kind")(),)), parent]
    if cls in {c.CreateSodSet, c.ChangeSodSet}:
        role, made = z3.FreshConst(Name, "role"), command.sod_set
        itself = [Need(SET, (made.field("id")(),))] if cls is c.ChangeSodSet else []
        return [*itself, Need("role", (role,), made.roles.has(role), (role,))]
    if cls is c.CreateGuardrail:
        return _of_guardrail(state, command.guardrail)
    named = NAMED.get(cls, ())
    return [Need(noun, tuple(command.field(name)() for name in names)) for noun, *names in named]


def _of_claim(state: View, claim: View) -> list[Need]:
    return [Need("role", (claim.role(),)), *_of_pattern(state, claim.resource)]


def _of_guardrail(state: View, guardrail: View) -> list[Need]:
    name = z3.FreshConst(Object, "name")
    named = z3.And(guardrail.names.has(name, object), typed(name, Named))
    patterns = _of_pattern(state, View(Term(name, m.ResourcePattern)))
    return [replace(one, when=z3.And(named, one.when), binders=(name,)) for one in patterns]


def _of_pattern(state: View, pattern: View) -> list[Need]:
    found = []
    for on in (m.Exactly, m.Within):
        value = pattern.when(on).field("value")()
        registered = z3.And(tag_is(pattern(), on), z3.Not(implicit(state, value)))
        found.append(Need("resource", (value,), registered))
    kind = pattern.when(m.OfKind).field("kind")()
    own = z3.And([kind != literal(name) for name in sorted(IMPLICIT_KINDS)])
    return [*found, Need("kind", (kind,), z3.And(tag_is(pattern(), m.OfKind), own))]


MADE: Final[dict[type, tuple[str, ...]]] = {
    c.CreatePrincipal: ("principal", "principal"),
    c.CreateGroup: ("group", "group"),
    c.CreateRole: ("role", "role"),
    c.CreateKind: ("kind", "kind"),
    c.CreateResource: ("resource", "resource.id"),
    c.CreateClaim: ("claim", "claim.id"),
    c.CreateSodSet: (SET, "sod_set.id"),
    c.CreateGuardrail: ("guardrail", "guardrail.id"),
    c.AddMember: ("membership", "principal", "group"),
    c.NestGroup: ("nesting", "group", "container"),
    c.AddParent: ("parent", "role", "parent"),
    c.AssignRole: ("assignment", "principal", "role"),
    c.AssignGroupRole: ("assignment", "group", "role"),
}
"""What a command makes: a noun, and the fields that name it."""


def made(command: View, cls: type) -> tuple[str, Ids] | None:
    """Return what the command makes, or nothing."""
    if cls not in MADE:
        return None
    noun, *paths = MADE[cls]
    return noun, tuple(at(command, path)() for path in paths)


def at(view: View, path: str) -> View:
    """Return what the dotted path leads to."""
    for name in path.split("."):
        view = view.field(name)
    return view


def in_the_way(state: View, command: View, cls: type) -> z3.BoolRef:
    """Return whether what the command would make is there, or so already."""
    if cls in {c.SuspendPrincipal, c.ResumePrincipal}:
        active = state.principals.at(command.principal()).active()
        return active if cls is c.ResumePrincipal else z3.Not(active)
    one = made(command, cls)
    return z3.BoolVal(False) if one is None else is_there(state, *one, of_groups=cls in OF_GROUPS)


def named_by_set(state: View, role: z3.ExprRef) -> z3.BoolRef:
    """Return whether a separation-of-duty set names the role."""
    name = z3.FreshConst(Name, "set")
    names = z3.And(state.sod_sets.has(name), state.sod_sets.at(name).roles.has(role))
    return z3.Exists([name], names)


def named_by_guardrail(state: View, command: Symbolic, cls: type) -> z3.BoolRef:
    """Return whether a guardrail names the entity to be deleted, or what goes with it."""
    if cls not in ENTITY:
        return z3.BoolVal(False)
    guardrail, name = z3.FreshConst(Name, "guardrail"), z3.FreshConst(Object, "name")
    goes = names_what_goes(state, command, cls, pattern=View(Term(name, m.ResourcePattern)))
    return z3.Exists([guardrail, name], z3.And(is_named_by(state, guardrail, name), goes))


def still_needed(state: Symbolic, command: Symbolic, cls: type) -> z3.BoolRef:
    """Return whether something refers to what is deleted, though no cascade was asked for."""
    depends, found = depends_by_name(state, command), []
    for fact, facet in FACETS.items():
        keys = [z3.FreshConst(Name, key) for key in facet.keys]
        one = depends(fact, keys)
        found.append(z3.Exists(keys, one) if keys else one)
    unasked = z3.And(z3.Not(View(command).cascade()), z3.Or(found))
    if cls is c.DeleteRole:
        return z3.Or(named_by_set(View(state), View(command).role()), unasked)
    return unasked


@dataclass(frozen=True)
class Limit:
    """A limit in words, how many there would be after the command, and how many there may be."""

    words: str
    after: z3.ArithRef
    maximum: int
    when: z3.BoolRef = TRUE


OWN: Final[dict[type, tuple[str, str, str, int]]] = {
    c.AddMember: (
        "groups of a principal",
        "memberships",
        "principal",
        limits.GROUPS_PER_PRINCIPAL_MAX,
    ),
    c.AssignRole: ("roles of a principal", "assignments", "principal", limits.ROLES_PER_HOLDER_MAX),
    c.AssignGroupRole: (
        "roles of a group",
        "group_assignments",
        "group",
        limits.ROLES_PER_HOLDER_MAX,
    ),
}
"""What something may have only so many of: in words, the relation, who has them, how many."""
IN_ALL: Final[dict[type, tuple[str, str, int]]] = {
    c.CreatePrincipal: ("principals", "principal", limits.PRINCIPALS_MAX),
    c.CreateGroup: ("groups", "group", limits.GROUPS_MAX),
    c.CreateRole: ("roles", "role", limits.ROLES_MAX),
    c.CreateKind: ("kinds", "kind", limits.KINDS_MAX),
    c.CreateResource: ("resources", "resource", limits.RESOURCES_MAX),
    c.CreateClaim: ("claims", "claim", limits.CLAIMS_MAX),
    c.CreateSodSet: ("separation-of-duty sets", SET, limits.SOD_SETS_MAX),
    c.CreateGuardrail: ("guardrails", "guardrail", limits.GUARDRAILS_MAX),
}
"""What there may be only so many of in an organization: in words, the noun, how many."""
UP: Final[dict[type, tuple[str, str, str, str, int, int]]] = {
    c.NestGroup: (
        "containers of a group",
        "depth of groups",
        "group",
        "container",
        limits.CONTAINERS_PER_GROUP_MAX,
        limits.GROUP_DEPTH_MAX,
    ),
    c.AddParent: (
        "parents of a role",
        "depth of roles",
        "role",
        "parent",
        limits.PARENTS_PER_ROLE_MAX,
        limits.ROLE_DEPTH_MAX,
    ),
}
"""What a graph may have only so much of: edges up and edges one after the other."""


def chain(start: Symbolic, mapping: Symbolic) -> Symbolic:
    """Return how many edges the longest chain from a node has, as a symbol: tested."""
    place = typing.cast(Dict, mapping).found_at
    return Term(z3.Function(f"chain {place}", Name, z3.IntSort())(View(start)()), int)


def lineage(state: Symbolic, resource: Symbolic) -> Symbolic:
    """Return the ancestors of a resource as a symbol: tested."""
    return located("=lineage", (View(state)(), View(resource)()), tuple[ResourceId, ...])


def held(mapping: View, key: z3.ExprRef) -> Symbolic:
    """Return what a mapping of sets has under the key, which may be absent."""
    has = mapping.has(key)
    return cases((has, mapping.at(key).value), (z3.Not(has), Items(())))


def limited(state: View, command: View, cls: type) -> list[Limit]:
    """Return every limit that the command counts towards."""
    found = []
    if cls in IN_ALL:
        words, noun, maximum = IN_ALL[cls]
        found.append(Limit(words, card(STORED[noun](state).value) + 1, maximum))
    if cls in OWN:
        words, relation, owner, maximum = OWN[cls]
        owned = held(state.field(relation).forward, command.field(owner)())
        found.append(Limit(words, card(owned) + 1, maximum))
    if cls in UP:
        found += _upward(state, command, cls)
    if cls is c.CreateClaim:
        owned = held(state.claims_by_role, command.claim.role())
        found.append(Limit("claims of a role", card(owned) + 1, limits.CLAIMS_PER_ROLE_MAX))
    if cls is c.CreateResource:
        parent = command.resource.parent
        above = card(lineage(state.value, Term(parent(), str)))
        maximum = limits.RESOURCE_DEPTH_MAX
        found.append(Limit("depth of resources", above, maximum, parent.there))
    return found


def _upward(state: View, command: View, cls: type) -> list[Limit]:
    width, depth, low, high, width_max, depth_max = UP[cls]
    graph = state.groups if cls is c.NestGroup else state.roles
    child, parent = (command.field(end) for end in (low, high))
    above = View(chain(parent.value, graph.parents.value))()
    below = View(chain(child.value, graph.children.value))()
    return [
        Limit(width, card(held(graph.parents, child())) + 1, width_max),
        Limit(depth, above + 1 + below, depth_max),
    ]


def over_limit(state: View, command: View, cls: type) -> z3.BoolRef:
    """Return whether there would be more than there may be of something."""
    every = limited(state, command, cls)
    return z3.Or([z3.And(one.when, one.after > one.maximum) for one in every])
