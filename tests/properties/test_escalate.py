"""P-ESCALATE: no accepted change gives anybody what its author neither had nor was to give.

What anybody is granted is computed by the oracle, at several instants and in several contexts,
before and after every change that an author may make. Separation of duty is left out of it: a set
only forbids, and to change one takes a right of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product, starmap
from random import Random

from grantproof.core.attributes import Literal as Constant
from grantproof.core.attributes import Operator, Path, Root
from grantproof.core.authority import unauthorized
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands import language as c
from grantproof.core.commands.language import SingleCommand
from grantproof.core.constraints import Attribute, Constraint, Context, MaxUsage, TimeWindow
from grantproof.core.errors import NotPermitted
from grantproof.core.identifiers import (
    Action,
    AttributeName,
    ClaimId,
    PrincipalId,
    ResourceId,
    RoleId,
)
from grantproof.core.matching import Request
from grantproof.core.model import (
    ADMINISTRATIVE_ACTIONS,
    ActionPattern,
    Any,
    Claim,
    Exactly,
    OfKind,
    Resource,
    ResourcePattern,
    Within,
)
from grantproof.core.organization import Organization
from tests.organizations import ACME, EU, after
from tests.properties import oracle
from tests.properties.tally import Tally
from tests.stateful import walks
from tests.stateful.walks import (
    CLAIMS,
    GROUPS,
    KINDS,
    LIMITS,
    MAKERS,
    PLACES,
    PRINCIPALS,
    ROLES,
    TERMS,
    TRAITS,
)

NOW = 2
SEEDS, COMMANDS = 32, 100
ORDINARY = [Action("read"), Action("write")]
ADMINISTRATIVE = sorted(ADMINISTRATIVE_ACTIONS)
ACTIONS: list[ActionPattern] = [
    *map(Exactly, ORDINARY),
    Any(),
    *map(Exactly, ADMINISTRATIVE),
    *map(Exactly, [Action("administer"), Action("assign"), Action("delegate")]),
]
PATTERNS: list[ResourcePattern] = [
    *walks.PATTERNS,
    *(OfKind(kind) for kind in ("role", "role", "group", "document")),
    Exactly(ResourceId("role:viewer")),
    Exactly(ResourceId("role:editor")),
    Exactly(ResourceId("role:owner")),
    Exactly(ResourceId("organization:acme")),
    Any(),
    Any(),
]
POWERS: list[tuple[Action, ResourcePattern]] = [
    *((Action("assign"), Exactly(ResourceId(f"role:{role}"))) for role in ROLES),
    *((Action("delegate"), Exactly(ResourceId(f"role:{role}"))) for role in ROLES),
    *((Action("administer"), OfKind("role")) for _ in range(4)),
    (Action("delegate"), OfKind("role")),
    (Action("assign"), OfKind("role")),
    (Action("assign"), OfKind("group")),
    *((Action("administer"), OfKind(kind)) for kind in KINDS),
    *((Action("administer"), Exactly(ResourceId("organization:acme"))) for _ in range(2)),
]
MOMENTS = [
    Context(instant, hour=hour, weekday=2, year=1970, region=region, usage=usage, rate=usage)
    for instant, hour, region, usage in (
        (NOW, 10, EU, 0),
        (NOW, 20, None, 1),
        (NOW + 1, 10, EU, 0),
        (9, 10, EU, None),
    )
]


@dataclass(frozen=True)
class Right:
    """What somebody may do: `moment` is a place in `MOMENTS`."""

    principal: PrincipalId
    action: Action
    resource: ResourceId
    kind: str
    moment: int


def some_claim(chance: Random) -> Claim:
    """A claim, of any action, every third one under a constraint."""
    limits = (chance.choice(LIMITS),) if chance.random() < 0.34 else ()
    return Claim(
        chance.choice(CLAIMS),
        chance.choice(ROLES),
        chance.choice(ACTIONS),
        chance.choice(PATTERNS),
        limits,
    )


def some_command(chance: Random, state: Organization) -> SingleCommand:
    """Any command; those that give something more often, the claims that there are to others."""
    turn = chance.random()
    if turn < 0.12 and state.claims:
        known = state.claims[chance.choice(sorted(state.claims))]
        limits = chance.choice([known.constraints, (), (chance.choice(LIMITS),)])
        copy = replace(known, id=ClaimId("copy"), role=chance.choice(ROLES), constraints=limits)
        return c.CreateClaim(copy)
    if turn < 0.25:
        return c.CreateClaim(some_claim(chance))
    if turn < 0.3:
        return c.SetPrincipalAttributes(chance.choice(PRINCIPALS), chance.choice(TRAITS))
    if turn < 0.45:
        return c.AssignRole(chance.choice(PRINCIPALS), chance.choice(ROLES), chance.choice(TERMS))
    if turn < 0.6:
        return chance.choice(LINKING)(chance)
    return chance.choice(MAKERS)(chance)


LINKING: list[walks.Make] = [
    lambda r: c.AddParent(r.choice(ROLES), r.choice(ROLES)),
    lambda r: c.AddMember(r.choice(PRINCIPALS), r.choice(GROUPS)),
    lambda r: c.NestGroup(r.choice(GROUPS), r.choice(GROUPS)),
    lambda r: c.AssignGroupRole(r.choice(GROUPS), r.choice(ROLES)),
    lambda r: c.SuspendPrincipal(r.choice(PRINCIPALS)),
    lambda r: c.ResumePrincipal(r.choice(PRINCIPALS)),
    lambda r: c.CreateResource(walks.some_resource(r)),
    lambda r: c.CreateResource(walks.some_resource(r)),
]


def beginning(chance: Random) -> Organization:
    """An organization that has come about somehow, without anybody's leave."""
    state = after(Organization(ACME), *walks.opening())
    for place in chance.sample(PLACES, 2):
        state = grown(state, c.DeleteResource(place, cascade=True))
    for _ in range(chance.randint(5, 25)):
        state = grown(state, some_command(chance, state))
    for role in ROLES:
        state = grown(state, c.AssignRole(chance.choice(PRINCIPALS), role))
    for number, (action, pattern) in enumerate(chance.sample(POWERS, 5)):
        made = Claim(ClaimId(f"power{number}"), chance.choice(ROLES), Exactly(action), pattern)
        state = grown(state, c.CreateClaim(made))
    return state


def grown(state: Organization, command: SingleCommand) -> Organization:
    """The organization after the command, or as it was where that is refused."""
    result = apply(state, command, actor="eve", instant=0)
    return result.state if isinstance(result, Accepted) else state


def subjects(of: oracle.World, before: oracle.World) -> Iterator[tuple[ResourceId, str]]:
    """Everything that was known before, with its kind: registered, implicit, or named by kind."""
    for prefix, name in of.entities & before.entities:
        yield ResourceId(f"{prefix}:{name}"), prefix
    for name in PLACES:
        kinds = of.kinds & before.kinds
        yield from ((name, kind) for kind in kinds if of.kind_of.get(name, kind) == kind)


Spoken = dict[ClaimId, list[tuple[Action, ResourceId, str]]]


def spoken(of: oracle.World, before: oracle.World) -> Spoken:
    """What each claim speaks about, of what was known before; constraints apart."""
    anybody, known = PRINCIPALS[0], list(subjects(of, before))
    return {
        claim.id: [
            (action, resource, kind)
            for action, (resource, kind) in product([*ORDINARY, *ADMINISTRATIVE], known)
            if oracle.speaks(of, claim, Request(anybody, action, resource, kind), kind)
        ]
        for claim in of.claims
    }


def granting(
    of: oracle.World, about: Spoken, who: PrincipalId, *, instant: int | None = None
) -> dict[Right, list[Claim]]:
    """What the principal is granted, by which claims, with the roles of the instant or of each."""
    found: dict[Right, list[Claim]] = {}
    if not of.active[who]:
        return found
    for moment, context in enumerate(MOMENTS):
        roles = oracle.effective(of, who, context.instant if instant is None else instant)
        for claim in of.claims:
            for action, resource, kind in about[claim.id] if claim.role in roles else ():
                request = Request(who, action, resource, kind)
                if all(oracle.met(of, request, context, one) for one in claim.constraints):
                    found.setdefault(Right(who, action, resource, kind, moment), []).append(claim)
    return found


def placed(of: oracle.World, command: SingleCommand, author: PrincipalId, right: Right) -> bool:
    """Whether the author administers the resource that the command says what it is, or no more."""
    # An id that is registered no more may be asked about as of any kind.
    kind = of.kind_of.get(right.resource, right.kind)
    return isinstance(command, PLACING) and allowed(of, author, "administer", right.resource, kind)


PLACING = (c.CreateResource, c.SetResourceAttributes, c.DeleteResource, c.DeleteKind)


def allowed(of: oracle.World, author: PrincipalId, action: str, resource: str, kind: str) -> bool:
    """Whether the author is allowed it now, as a change sees it: no region, no meter."""
    request = Request(author, Action(action), ResourceId(resource), kind)
    return oracle.ask(of, request, NOWHERE).granted is not None


NOWHERE = replace(MOMENTS[0], region=None, usage=None, rate=None)


def entitled(
    of: oracle.World, author: PrincipalId, right: Right, claims: list[Claim], held: frozenset[str]
) -> str:
    """By what the author was to give the right, to one who holds `held` after it, or nothing."""
    ordinary = right.action not in ADMINISTRATIVE_ACTIONS
    there = {claim.id: claim for claim in of.claims}
    for claim in claims:
        if ordinary and allowed(of, author, "delegate", f"role:{claim.role}", "role"):
            return "delegate"
        if there.get(claim.id) != claim:
            continue
        above = [
            role
            for role in held
            if any(path[-1] == claim.role for path in oracle.paths(role, of.inherits))
        ]
        if any(allowed(of, author, "assign", f"role:{role}", "role") for role in above) and (
            ordinary or allowed(of, author, "assign", f"role:{claim.role}", "role")
        ):
            return "assign"
    return ""


@dataclass(frozen=True)
class Before:
    """What everybody is granted before a change, worked out once for many of them."""

    of: oracle.World
    had: dict[PrincipalId, dict[Right, list[Claim]]]
    now: dict[PrincipalId, set[tuple[Action, ResourceId, str, int]]]


def look(state: Organization) -> Before:
    """Look at everybody: with the roles of each instant, and with those of now."""
    of = oracle.world(state)
    about = spoken(of, of)
    had = {who: granting(of, about, who) for who in state.principals}
    now = {
        who: {
            (one.action, one.resource, one.kind, one.moment)
            for one in granting(of, about, who, instant=NOW)
        }
        for who in state.principals
    }
    return Before(of, had, now)


def judge(
    before: Before, state: Organization, command: SingleCommand, author: PrincipalId
) -> Iterator[str]:
    """Everybody's new rights are the author's, or were theirs to give: yield by what."""
    new = oracle.world(state)
    about = spoken(new, before.of)
    for principal in sorted(state.principals):
        had = before.had.get(principal, {})
        held = frozenset(
            role for at in MOMENTS for role in oracle.effective(new, principal, at.instant)
        )
        for right, claims in granting(new, about, principal).items():
            if right in had:
                continue
            if (right.action, right.resource, right.kind, right.moment) in before.now[author]:
                yield "had"
            elif placed(before.of, command, author, right):
                yield "administer"
            else:
                why = entitled(before.of, author, right, claims, held)
                assert why, (author, command, right, claims)
                yield why


def traps() -> Organization:
    """An organization in which each of three authors is one step away from what is not theirs."""
    viewer, editor, owner, auditor = ROLES
    ann, bob, cid = PRINCIPALS
    docs, inside = PLACES[0], PLACES[1]
    mine = Attribute(Path(Root.PRINCIPAL, AttributeName("level")), Operator.GE, Constant(1))
    claims: list[tuple[RoleId, ActionPattern, ResourcePattern, tuple[Constraint, ...]]] = [
        # Ann may assign editor, which inherits the administration of roles.
        (viewer, Exactly(Action("assign")), Exactly(ResourceId("role:editor")), ()),
        (owner, Exactly(Action("administer")), OfKind("role"), ()),
        # Whoever may change roles has rights of their own that are limited to them.
        (owner, Exactly(Action("read")), Exactly(docs), (MaxUsage(1),)),
        (owner, Exactly(Action("write")), Exactly(docs), (mine,)),
        (owner, Exactly(Action("read")), Within(inside), (TimeWindow(9, 17),)),
        # Cid may change principals, and has a place of their own.
        (auditor, Exactly(Action("administer")), Exactly(ResourceId("organization:acme")), ()),
        (auditor, Exactly(Action("administer")), Within(inside), ()),
        (auditor, Any(), Within(inside), ()),
    ]
    return after(
        Organization(ACME),
        *walks.opening()[:-7],
        c.DeleteResource(PLACES[4]),
        c.SetPrincipalAttributes(ann, TRAITS[1]),
        *(
            c.CreateClaim(Claim(ClaimId(f"t{number}"), role, action, pattern, limits))
            for number, (role, action, pattern, limits) in enumerate(claims)
        ),
        c.AddParent(editor, owner),
        c.AssignRole(ann, viewer),
        c.AssignRole(bob, owner),
        c.AssignRole(cid, auditor),
    )


def every_gift() -> Iterator[SingleCommand]:
    """Every link that can be made, every claim of a kind, every resource and every trait."""
    yield from starmap(c.AssignRole, product(PRINCIPALS, ROLES))
    yield from starmap(c.AssignGroupRole, product(GROUPS, ROLES))
    yield from starmap(c.AddMember, product(PRINCIPALS, GROUPS))
    yield from starmap(c.AddParent, product(ROLES, ROLES))
    yield from starmap(c.SetPrincipalAttributes, product(PRINCIPALS, TRAITS))
    yield from starmap(c.SetResourceAttributes, product(PLACES, TRAITS))
    for place, kind, parent in product(PLACES, KINDS, [None, *PLACES]):
        yield c.CreateResource(Resource(place, kind, parent))
    patterns = list(dict.fromkeys(PATTERNS))
    limits: list[tuple[Constraint, ...]] = [(), (MaxUsage(1),), (TimeWindow(9, 17),), (LIMITS[-1],)]
    for role, action, pattern, some in product(ROLES, dict.fromkeys(ACTIONS), patterns, limits):
        yield c.CreateClaim(Claim(ClaimId("new"), role, action, pattern, some))


def test_p_escalate_among_traps() -> None:
    """P-ESCALATE: everything that each of three authors may give, where there is much to steal."""
    tally = Tally("P-ESCALATE, traps")
    state = traps()
    before = look(state)
    for author, command in product(PRINCIPALS, every_gift()):
        watch(state, before, command, author, tally)
    tally.expect(had=500, accepted_CreateClaim=100, refused_granted=1_000, refused_inherited=5)


def watch(
    state: Organization, before: Before, command: SingleCommand, author: PrincipalId, tally: Tally
) -> None:
    """Let the author make the change, if they may, and judge what came of it."""
    lacking = unauthorized(state, command, author, context=NOWHERE)
    result = apply(state, command, actor=author, instant=NOW)
    if isinstance(lacking, NotPermitted):
        tally.saw(f"refused_{lacking.because}", isinstance(result, Accepted))
    elif isinstance(result, Accepted):
        tally.saw(f"accepted_{type(command).__name__}")
        for why in judge(before, result.state, command, author):
            tally.saw(why)


def test_p_escalate_nobody_gives_what_they_may_not() -> None:
    """P-ESCALATE: whatever the organization, the command and its author."""
    tally = Tally("P-ESCALATE")
    for seed in range(SEEDS):
        chance = Random(seed)
        state = beginning(chance)
        before = look(state)
        for _ in range(COMMANDS):
            command, author = some_command(chance, state), chance.choice(PRINCIPALS)
            watch(state, before, command, author, tally)
    tally.expect(
        had=20,
        assign=20,
        delegate=20,
        administer=2,
        refused_required=200,
        refused_inherited=8,
        refused_granted=20,
    )
