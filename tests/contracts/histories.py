"""Organizations with a past: commands that use every fact, and what they lead to."""

import random
from collections.abc import Callable, Iterable, Iterator

from grantproof.core.attributes import (
    Attributes,
    ClockYear,
    Literal,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    attributes,
)
from grantproof.core.commands import Accepted, Event, apply
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
from grantproof.core.constraints import (
    Attribute,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import Position
from grantproof.core.guardrails import (
    Access,
    Capped,
    Confined,
    Exclusive,
    Forbidden,
    Having,
    HolderOf,
    MemberOf,
    Reserved,
)
from grantproof.core.identifiers import (
    Action,
    AttributeName,
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.limits import (
    ID_LENGTH_MAX,
    INSTANT_MAX,
    INTEGER_MAX,
    INTEGER_MIN,
    STRING_LENGTH_MAX,
)
from grantproof.core.model import Any as Anything
from grantproof.core.model import (
    Claim,
    Exactly,
    Guardrail,
    OfKind,
    Resource,
    SodSet,
    Validity,
    Within,
)
from grantproof.core.organization import Organization, advance
from grantproof.service.ports import Store

ACTOR = "root@example.org"
INSTANT = 1_700_000_000

ANN, BOB = PrincipalId("ann"), PrincipalId("bob")
STAFF, EVERYONE = GroupId("staff"), GroupId("everyone")
READER, WRITER, AUDITOR = RoleId("reader"), RoleId("writer"), RoleId("auditor")
DOCUMENT, FOLDER = Kind("document"), Kind("folder")
DOCS, PLAN = ResourceId("docs"), ResourceId("docs/plan")

DIFFICULT = attributes(
    {
        "text": "Łódź 日本 \U0001f511 \x7f \n '\"`;-- \\u0041",
        "longest": "ü" * STRING_LENGTH_MAX,
        "empty": "",
        "largest": INTEGER_MAX,
        "smallest": INTEGER_MIN,
        "flag": True,
        "one": 1,
        "set": frozenset({"b", "a", ""}),
        "none": frozenset[str](),
    }
)
"""Attributes whose types and texts are the easiest to get wrong."""

EVERY_CONSTRAINT = (
    TimeWindow(8, 18, frozenset({0, 4})),
    TimeWindow(0, 24),
    GeoFence(frozenset({Region("eu-west-1"), Region("us-east-1")})),
    GeoRadius(Position(-33_868_800, 151_209_300), 5_000),
    MaxUsage(3),
    MaxUsage(INTEGER_MAX, "month"),
    RateLimit(60),
    Attribute(
        Path(Root.PRINCIPAL, AttributeName("department")), Operator.EQ, Literal("legal \U0001f511")
    ),
    Attribute(Path(Root.RESOURCE, AttributeName("owner")), Operator.NE, PrincipalIdentity()),
    Attribute(Path(Root.CONTEXT, AttributeName("amount")), Operator.LE, Literal(-1)),
    Attribute(Path(Root.CONTEXT, AttributeName("year")), Operator.GE, ClockYear()),
    Attribute(
        Path(Root.ACTION, AttributeName("via")), Operator.IN, Literal(frozenset({"api", "cli"}))
    ),
    Attribute(
        Path(Root.CONTEXT, AttributeName("team")),
        Operator.EQ,
        Path(Root.PRINCIPAL, AttributeName("team")),
    ),
)

WRITING = Access(Anything(), Within(DOCS), DIFFICULT)
OF_AUDITORS = Access(Exactly(Action("assign")), Exactly(ResourceId("role:auditor")))
OF_SETS = Access(Anything(), Exactly(ResourceId("sod-set:one-hat")))
OF_KIND = Access(Exactly(Action("read")), OfKind("document"))
WHOEVER = Access(Anything(), OfKind("role"))
ITSELF = Access(Exactly(Action("run")), OfKind("organization"))

GUARDRAILS: tuple[Guardrail, ...] = tuple(
    Guardrail(GuardrailId(name), rule)
    for name, rule in (
        ("all", Forbidden(ITSELF)),
        ("confined", Confined(WHOEVER, EVERY_CONSTRAINT)),
        ("exclusive", Exclusive(WRITING, OF_SETS)),
        ("few", Capped(OF_AUDITORS, 3)),
        ("forbidden", Forbidden(OF_KIND, frozenset({HolderOf(AUDITOR), Having(DIFFICULT)}))),
        ("reserved", Reserved(WRITING, frozenset({MemberOf(STAFF), MemberOf(EVERYONE)}))),
    )
)
"""One of each type; between them they name all that can be named."""

HISTORY: tuple[Command, ...] = (
    CreatePrincipal(ANN, DIFFICULT),
    CreatePrincipal(BOB),
    CreatePrincipal(PrincipalId("Ann")),
    CreatePrincipal(PrincipalId("x" * ID_LENGTH_MAX)),
    CreateGroup(STAFF),
    CreateGroup(EVERYONE),
    NestGroup(STAFF, EVERYONE),
    AddMember(ANN, STAFF),
    AddMember(BOB, STAFF),
    CreateRole(READER),
    CreateRole(WRITER),
    CreateRole(AUDITOR),
    CreateRole(RoleId("Reader")),
    AddParent(WRITER, READER),
    CreateKind(DOCUMENT),
    CreateKind(FOLDER),
    CreateResource(Resource(DOCS, FOLDER, attributes=DIFFICULT)),
    CreateResource(Resource(PLAN, DOCUMENT, DOCS)),
    CreateClaim(Claim(ClaimId("read"), READER, Exactly(Action("read")), Within(DOCS))),
    CreateClaim(Claim(ClaimId("write"), WRITER, Anything(), OfKind("document"), EVERY_CONSTRAINT)),
    CreateClaim(Claim(ClaimId("review"), AUDITOR, Exactly(Action("review")), Anything())),
    CreateClaim(
        Claim(
            ClaimId("steward"),
            AUDITOR,
            Exactly(Action("assign")),
            Exactly(ResourceId("role:reader")),
        )
    ),
    CreateSodSet(SodSet(SodSetId("write-audit"), frozenset({WRITER, AUDITOR}), 2)),
    CreateSodSet(SodSet(SodSetId("one-hat"), frozenset({READER, WRITER, AUDITOR}), 3, "dynamic")),
    AssignRole(ANN, WRITER, Validity(0, INSTANT_MAX)),
    AssignRole(BOB, READER),
    AssignGroupRole(EVERYONE, READER, Validity(start=INSTANT)),
    SuspendPrincipal(BOB),
    SetPrincipalAttributes(ANN, attributes({"department": "legal"})),
    SetResourceAttributes(DOCS, attributes({"owner": "ann"})),
    ChangeSodSet(SodSet(SodSetId("one-hat"), frozenset({READER, AUDITOR}), 2, "dynamic")),
    *map(CreateGuardrail, GUARDRAILS),
)
"""Every kind of fact, some edited, none left out."""
FIRST_HISTORY = HISTORY[: -len(GUARDRAILS)]
"""What the first version of the tables could hold."""


def empty(organization: OrganizationId, time_zone: str = "UTC") -> Organization:
    """The organization before anything happened."""
    return Organization(organization, time_zone=time_zone)


def event(state: Organization, command: Command) -> Event:
    """The event of a command that the state accepts."""
    outcome = apply(state, command, actor=ACTOR, instant=INSTANT)
    assert isinstance(outcome, Accepted), f"{command} is refused: {outcome}"
    return outcome.event


def commit_all(
    store: Store, state: Organization, commands: Iterable[Command] = HISTORY
) -> Organization:
    """The state after every command was committed, one revision each."""
    for command in commands:
        happened = event(state, command)
        assert store.commit(happened)
        state = advance(state, happened.delta)
    return state


def created(
    store: Store, organization: OrganizationId, commands: Iterable[Command] = HISTORY
) -> Organization:
    """The state of a new organization after the commands."""
    assert store.create(organization, time_zone="UTC", actor=ACTOR, instant=INSTANT)
    return commit_all(store, empty(organization), commands)


def fold(organization: OrganizationId, events: Iterable[Event]) -> Organization:
    """The state to which the events lead."""
    state = empty(organization)
    for happened in events:
        assert happened.revision == state.revision + 1
        state = advance(state, happened.delta)
    return state


def random_history(seed: int, *, attempts: int) -> Iterator[Command]:
    """Commands drawn from few ids, so that they often meet; some as sets of several."""
    draw = random.Random(seed)
    for _ in range(attempts):
        if draw.random() < 0.4:
            yield ChangeSet(tuple(_drawn(draw) for _ in range(draw.randint(2, 3))))
        else:
            yield _drawn(draw)


def _drawn(draw: random.Random) -> SingleCommand:
    return draw.choice(_DRAWINGS)(draw)


def _principal(draw: random.Random) -> PrincipalId:
    return PrincipalId(draw.choice("pP") + str(draw.randrange(3)))


def _group(draw: random.Random) -> GroupId:
    return GroupId(f"g{draw.randrange(4)}")


def _role(draw: random.Random) -> RoleId:
    return RoleId(f"r{draw.randrange(5)}")


def _kind(draw: random.Random) -> Kind:
    return Kind(f"k{draw.randrange(2)}")


def _resource(draw: random.Random) -> ResourceId:
    return ResourceId(f"a{draw.randrange(5)}")


def _attributes(draw: random.Random) -> Attributes:
    return attributes({"n": draw.randrange(9)}) if draw.random() < 0.8 else attributes({})


def _validity(draw: random.Random) -> Validity:
    start = draw.choice((None, 0, INSTANT))
    return Validity(start, draw.choice((None, INSTANT + 1)))


def _placed(draw: random.Random) -> Resource:
    kind, identity, parent = _kind(draw), _resource(draw), _resource(draw)
    return Resource(identity, kind, parent if parent < identity else None, _attributes(draw))


def _claim(draw: random.Random) -> Claim:
    constraints = EVERY_CONSTRAINT[: draw.randrange(3)]
    pattern = draw.choice((Anything(), Exactly(_resource(draw)), OfKind(_kind(draw))))
    return Claim(ClaimId(f"c{draw.randrange(6)}"), _role(draw), Anything(), pattern, constraints)


def _sod_set(draw: random.Random) -> SodSet:
    roles = frozenset({RoleId("r3"), RoleId("r4"), _role(draw)})
    return SodSet(SodSetId(f"s{draw.randrange(2)}"), roles, 2, draw.choice(("static", "dynamic")))


_DRAWINGS: tuple[Callable[[random.Random], SingleCommand], ...] = (
    lambda draw: CreatePrincipal(_principal(draw), _attributes(draw)),
    lambda draw: DeletePrincipal(_principal(draw), draw.random() < 0.8),
    lambda draw: SuspendPrincipal(_principal(draw)),
    lambda draw: ResumePrincipal(_principal(draw)),
    lambda draw: SetPrincipalAttributes(_principal(draw), _attributes(draw)),
    lambda draw: CreateGroup(_group(draw)),
    lambda draw: DeleteGroup(_group(draw), draw.random() < 0.8),
    lambda draw: AddMember(_principal(draw), _group(draw)),
    lambda draw: RemoveMember(_principal(draw), _group(draw)),
    lambda draw: NestGroup(_group(draw), _group(draw)),
    lambda draw: UnnestGroup(_group(draw), _group(draw)),
    lambda draw: CreateRole(_role(draw)),
    lambda draw: DeleteRole(_role(draw), draw.random() < 0.8),
    lambda draw: AddParent(_role(draw), _role(draw)),
    lambda draw: RemoveParent(_role(draw), _role(draw)),
    lambda draw: CreateKind(_kind(draw)),
    lambda draw: DeleteKind(_kind(draw), draw.random() < 0.5),
    lambda draw: CreateResource(_placed(draw)),
    lambda draw: DeleteResource(_resource(draw), draw.random() < 0.8),
    lambda draw: SetResourceAttributes(_resource(draw), _attributes(draw)),
    lambda draw: CreateClaim(_claim(draw)),
    lambda draw: DeleteClaim(ClaimId(f"c{draw.randrange(6)}")),
    lambda draw: CreateSodSet(_sod_set(draw)),
    lambda draw: ChangeSodSet(_sod_set(draw)),
    lambda draw: DeleteSodSet(SodSetId(f"s{draw.randrange(2)}"), draw.random() < 0.8),
    lambda draw: AssignRole(_principal(draw), _role(draw), _validity(draw)),
    lambda draw: RevokeRole(_principal(draw), _role(draw)),
    lambda draw: AssignGroupRole(_group(draw), _role(draw), _validity(draw)),
    lambda draw: RevokeGroupRole(_group(draw), _role(draw)),
)
