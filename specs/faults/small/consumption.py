"""The executable property of consuming: two who consume in real threads, one meter.

Their steps are arranged, not left to chance: one after the other; both have read before either
charges, and what a charge does in several locked sections is interleaved; one has read, and before
it charges a limit is lowered and the other consumes; or a limit is raised, of which neither knows.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from grantproof.core import constraints as c
from grantproof.core import model as m
from grantproof.core.commands import Event
from grantproof.core.commands.delta import ORDER
from grantproof.core.commands.language import ChangeSet, CreateClaim, CreateRole, DeleteClaim
from grantproof.core.identifiers import ClaimId, OrganizationId, PrincipalId
from grantproof.core.matching import Request
from grantproof.core.metering import Charge
from grantproof.service.authors import Author
from grantproof.service.consume import Consumed, ConsumptionPoint
from grantproof.service.meter import Charged, Keeping, Meter, Reading, Uncharged
from grantproof.service.meters import Meters
from grantproof.service.pap import AdministrationPoint
from grantproof.service.pdp import DecisionPoint
from grantproof.service.pip import NOTHING_SUPPLIED
from grantproof.service.receipts import Consumption
from grantproof.service.snapshots import Snapshots, here
from specs.faults.small.property import Objection, Property, Small
from specs.faults.small.races import Decided, Steps, _meet
from specs.faults.small.worlds import ACME, ANN, CLERK, DOCS, FILE, READ, Facts

FIRST, SECOND = ClaimId("first"), ClaimId("second")
USES_BEFORE_MAX: Final = 3
INSTANT: Final = 1


def claim(name: ClaimId, usage: int, rate: int) -> m.Claim:
    """Return a claim with a quota and a rate."""
    limits = (c.MaxUsage(usage, "day"), c.RateLimit(rate))
    return m.Claim(name, CLERK, READ, m.Exactly(DOCS), limits)


LOWERED: Final = claim(FIRST, 1, 3)
RAISED: Final = claim(FIRST, 3, 3)
COUNTER: Final[Facts] = (
    m.Principal(ANN),
    m.Role(CLERK),
    m.KindDeclaration(FILE),
    m.Resource(DOCS, FILE),
    claim(FIRST, 2, 3),
    claim(SECOND, 3, 1),
    m.Assignment(ANN, CLERK),
)
"""Two claims on the same: of one the quota is the smaller limit, of the other the rate."""

NEEDED: Final = frozenset(fact for fact in COUNTER if not isinstance(fact, m.Claim))
"""Without these nobody consumes anything, so there is nothing to tell."""

Act = Literal["c1", "c2", "lower", "raise"]
Said = tuple[dict[str, str], dict[str, tuple[int, ...]]]
"""What each consumer was answered, and what the counters of each claim stand at."""


@dataclass(frozen=True)
class Use:
    """Ann consumes `before` times in turn; then c1 and c2 consume for her, as `meeting` says."""

    before: int
    meeting: Literal["in turn", "together", "overtaken", "behind"]


class Arranged:
    """A meter before whose first charge by a thread something happens."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.before_charging: dict[int, Callable[[], None]] = {}

    def read(
        self, organization: OrganizationId, principal: PrincipalId, *, instant: int
    ) -> Reading | None:
        """Read."""
        return self._meter.read(organization, principal, instant=instant)

    def charge(
        self,
        organization: OrganizationId,
        charges: Sequence[Charge],
        *,
        revision: int,
        instant: int,
        keeping: Keeping | None = None,
    ) -> Charged | Uncharged | Consumption:
        """Charge, after what is to happen before."""
        self.before_charging.pop(threading.get_ident(), _nothing)()
        return self._meter.charge(
            organization, charges, revision=revision, instant=instant, keeping=keeping
        )


def _nothing() -> None:
    return


def run(small: Small, use: Use) -> Said:
    """Return the answers and the counters after the race."""
    store = Decided()
    store.create(ACME, time_zone="UTC", actor="eve", instant=0)
    start = tuple(sorted(small.facts, key=lambda fact: ORDER[type(fact)]))
    store.commit(Event(ACME, 1, 0, "eve", CreateRole(CLERK), m.Delta(added=start)))
    meter = Arranged(store.meter)
    points = {who: _consumer(store, meter) for who in ("c0", "c1", "c2")}
    answers: dict[str, str] = {}

    def consume(who: str) -> None:
        request = Request(ANN, READ.value, DOCS)
        answers[who] = _answer(points[who].consume(ACME, request, NOTHING_SUPPLIED))

    for number in range(use.before):
        consume("c0")
        answers[f"before {number + 1}"] = answers.pop("c0")
    if use.meeting == "together":
        _together(store, meter, consume)
    elif use.meeting == "overtaken":
        meter.before_charging[threading.get_ident()] = lambda: _overtake(store, consume)
        consume("c1")
        meter.before_charging.clear()
        if "c2" not in answers:
            _overtake(store, consume)
    else:
        if use.meeting == "behind":
            _change(store, RAISED)
        consume("c1")
        consume("c2")
    counted: dict[str, tuple[int, ...]] = {}
    for counter, times in store.meter.usage(ACME, instant=INSTANT, limit=99):
        counted[counter.claim] = (*counted.get(counter.claim, ()), times)
    return answers, counted


def _consumer(store: Decided, meter: Arranged) -> ConsumptionPoint:
    steps = Steps()
    snapshots = Snapshots(store)
    snapshots.load(ACME)
    decisions = DecisionPoint(steps, Meters(store.meter, clock=steps, on_owner=here))
    # It reads and charges, and has no need of more.
    counting = cast("Meter", meter)
    return ConsumptionPoint(counting, snapshots, decisions, backoff=steps, on_owner=here)


def _together(store: Decided, meter: Arranged, consume: Callable[[str], None]) -> None:
    """Let both read before either charges."""
    ready = threading.Barrier(2)

    def begin(who: str) -> None:
        me = threading.get_ident()

        def charge() -> None:
            _meet(ready)
            store.meeting.armed.add(me)

        meter.before_charging[me] = charge
        consume(who)

    threads = [threading.Thread(target=begin, args=(who,)) for who in ("c1", "c2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _overtake(store: Decided, consume: Callable[[str], None]) -> None:
    """Lower the first limit, and let c2 consume."""
    _change(store, LOWERED)
    consume("c2")


def _change(store: Decided, first: m.Claim) -> None:
    """Put another claim in the place of the first, which nobody else is told of."""
    steps = Steps()
    administration = AdministrationPoint(store, Snapshots(store), clock=steps, backoff=steps)
    change = ChangeSet((DeleteClaim(FIRST), CreateClaim(first)))
    administration.propose(ACME, change, by=Author("eve"))


def _answer(consumed: object) -> str:
    if not isinstance(consumed, Consumed):
        return "contended"
    outcome = consumed.answer.outcome
    return str(outcome.id) if isinstance(outcome, m.Claim) else "denied"


def in_turn(facts: Facts, before: int, order: Sequence[Act]) -> Said:
    """Return what one after the other gives: a count of each claim, and its least limit."""
    room = {fact.id: _least(fact) for fact in facts if isinstance(fact, m.Claim)}
    used = dict.fromkeys(sorted(room), 0)
    answers: dict[str, str] = {}
    for act in (*(f"before {n + 1}" for n in range(before)), *order):
        if act in CHANGES:
            room[FIRST] = _least(CHANGES[act])
            continue
        chosen = next((name for name in used if used[name] < room[name]), None)
        answers[act] = "denied" if chosen is None else str(chosen)
        if chosen is not None:
            used[chosen] += 1
    return answers, {str(name): (times, times) for name, times in used.items() if times > 0}


def _least(of: m.Claim) -> int:
    return min(
        one.limit if isinstance(one, c.MaxUsage) else one.per_minute
        for one in of.constraints
        if isinstance(one, c.MaxUsage | c.RateLimit)
    )


CHANGES: Final[dict[str, m.Claim]] = {"lower": LOWERED, "raise": RAISED}
ORDERS: Final[dict[str, list[tuple[Act, ...]]]] = {
    "in turn": [("c1", "c2")],
    "together": [("c1", "c2"), ("c2", "c1")],
    "overtaken": [("c1", "lower", "c2"), ("lower", "c1", "c2"), ("lower", "c2", "c1")],
    "behind": [("raise", "c1", "c2")],
}


def miscounted(small: Small, use: Use) -> Objection | None:
    """Object to answers and counters that no order of the uses gives. P-CONSUME."""
    changed = use.meeting in {"overtaken", "behind"} and FIRST not in small.state.claims
    if changed or not set(small.facts) >= NEEDED:
        message = "nobody can consume what is not there"
        raise ValueError(message)
    found = run(small, use)
    expected = [in_turn(small.facts, use.before, order) for order in ORDERS[use.meeting]]
    if found in expected:
        return None
    return Objection(" or ".join(dict.fromkeys(map(_told, expected))), _told(found))


def _told(said: Said) -> str:
    answers, counted = said
    answered = [
        f"{who} is denied" if answer == "denied" else f"{who} is allowed by {answer}"
        for who, answer in sorted(answers.items())
    ]
    stands = [f"{name} counts {' and '.join(map(str, n))}" for name, n in sorted(counted.items())]
    return "; ".join([*answered, *stands])


def uses(facts: Facts) -> Iterator[Use]:  # noqa: ARG001 - the same of every organization
    """Yield how two may consume, after none or some uses."""
    for before in range(USES_BEFORE_MAX + 1):
        yield Use(before, "in turn")
        yield Use(before, "together")
        yield Use(before, "overtaken")
        yield Use(before, "behind")


def told(use: Use) -> str:
    """Return how two consume, in words."""
    after = f"after {use.before} uses " if use.before else ""
    if use.meeting == "in turn":
        return f"{after}c1 consumes for ann, then c2"
    if use.meeting == "together":
        return f"{after}c1 and c2 read the counters for ann; then both charge"
    if use.meeting == "behind":
        return f"{after}the first quota is raised to 3; c1 consumes for ann, then c2"
    lowers = "the first quota is lowered to 1 and c2 consumes; then c1 charges"
    return f"{after}c1 reads the counters for ann; {lowers}"


PROPERTIES = {"P-CONSUME": Property((COUNTER,), uses, miscounted, told)}
