"""Sessions: what one is, who may choose which roles, and for which requests it counts."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from grantproof.core.commands.language import (
    ChangeSet,
    CreatePrincipal,
    DeletePrincipal,
    SuspendPrincipal,
)
from grantproof.core.errors import AlreadyExists, Illegal, Missing, OverLimit
from grantproof.core.identifiers import PrincipalId, RoleId, SessionId
from grantproof.core.limits import (
    ACTOR_LENGTH_MAX,
    INSTANT_MAX,
    ROLES_PER_SESSION_MAX,
    SESSION_SECONDS_MAX,
)
from grantproof.core.messages import session_message
from grantproof.core.model import (
    Assignment,
    GroupAssignment,
    Inheritance,
    Membership,
    Principal,
    Validity,
)
from grantproof.core.policy import SessionClash, Suspended
from grantproof.core.sessions import (
    NotHeld,
    Session,
    SessionRefusal,
    ended_by,
    in_force,
    refused_to_add,
    refused_to_choose,
    refused_to_drop,
    session_roles,
    within,
)
from tests.organizations import (
    ANN,
    BOB,
    CHIEF,
    CLERK,
    EVE,
    HEAD,
    PAIR,
    STAFF,
    asks,
    dynamic,
    groups,
    made_of,
    pair,
    people,
    roles,
)

NOTHING = RoleId("nothing")
NOW = 1_000
FACTS = (
    *people(ANN, BOB),
    Principal(EVE, active=False),
    *groups(STAFF),
    *roles(CLERK, HEAD, CHIEF),
    Inheritance(HEAD, CLERK),
    Assignment(ANN, HEAD),
    Assignment(EVE, HEAD),
    Membership(ANN, STAFF),
    GroupAssignment(STAFF, CHIEF, Validity(end=NOW + 1)),
)
BASE = made_of(*FACTS)
"""Ann is a head, and with the staff a chief for a while; heads inherit from clerks."""
CLASHING = made_of(*FACTS, dynamic(pair(2, CLERK, CHIEF)))
CLASH = SessionClash(PAIR, (CHIEF, CLERK), 2)
SESSION = Session(SessionId("s1"), ANN, frozenset({HEAD}), NOW, NOW + 10, "key:portal")


def refused(*new: RoleId, who: PrincipalId = ANN, at: int = NOW) -> SessionRefusal | None:
    """Why a session of the roles is not opened where clerks and chiefs clash."""
    return refused_to_choose(CLASHING, who, frozenset(new), instant=at)


def test_what_is_held_may_be_chosen() -> None:
    """Directly, by inheritance and through a group; and nothing at all."""
    assert refused() is refused(HEAD) is refused(CLERK) is refused(CHIEF) is None
    assert refused_to_choose(BASE, ANN, frozenset({HEAD, CHIEF}), instant=NOW) is None


def test_what_is_not_held_at_the_instant_is_refused() -> None:
    """The witness names all of them in order, and when; also before what would clash."""
    assert refused(CHIEF, at=NOW + 1) == NotHeld(ANN, (CHIEF,), NOW + 1)
    assert refused(HEAD, CLERK, who=BOB) == NotHeld(BOB, (CLERK, HEAD), NOW)


def test_what_is_not_there_is_refused() -> None:
    """The principal first, then the least role."""
    assert refused(HEAD, who=PrincipalId("zoe")) == Missing("principal", ("zoe",))
    assert refused(NOTHING, RoleId("none"), HEAD) == Missing("role", ("none",))


def test_a_suspended_principal_opens_none() -> None:
    """Whatever it holds."""
    assert refused(HEAD, who=EVE) == Suspended()


def test_a_clash_is_refused_as_a_decision_would_say_it() -> None:
    """Inherited roles count: a head is a clerk."""
    assert refused(HEAD, CHIEF) == refused(CLERK, CHIEF) == CLASH


@pytest.mark.parametrize(("count", "expected"), [(-1, None), (0, None), (1, OverLimit)])
def test_a_session_has_so_many_roles(count: int, expected: type | None) -> None:
    """At the bound and below; above it is refused, chosen and new ones together."""
    many = [RoleId(f"r{number}") for number in range(ROLES_PER_SESSION_MAX + count)]
    state = made_of(*people(ANN), *roles(*many), *(Assignment(ANN, role) for role in many))
    new, chosen = frozenset(many[:1]), frozenset(many[1:])
    found = refused_to_choose(state, ANN, new, instant=NOW, chosen=chosen)
    assert (None if found is None else type(found)) is expected


def added(role: RoleId, session: Session = SESSION) -> SessionRefusal | None:
    """Why the session may not have the role too."""
    return refused_to_add(CLASHING, session, role, instant=NOW)


def test_a_role_is_added_to_what_is_chosen() -> None:
    """One that is chosen already is refused; one that is only inherited is not."""
    assert added(CLERK) is None
    assert added(HEAD) == AlreadyExists("active role", ("s1", HEAD))
    assert added(NOTHING) == Missing("role", (NOTHING,))
    assert added(CHIEF) == CLASH
    assert added(CHIEF, replace(SESSION, roles=frozenset())) is None


def test_what_was_chosen_and_is_not_held_any_more_hinders_nothing() -> None:
    """Neither its lack nor its clash: it is not active, as the decision sees it."""
    of_chief = replace(SESSION, roles=frozenset({CHIEF}))
    assert refused_to_add(CLASHING, of_chief, HEAD, instant=NOW) == CLASH
    assert refused_to_add(CLASHING, of_chief, HEAD, instant=NOW + 1) is None


def test_only_what_is_chosen_is_dropped() -> None:
    """What is inherited goes with what inherits it."""
    assert refused_to_drop(SESSION, HEAD) is None
    assert refused_to_drop(SESSION, CLERK) == Missing("active role", ("s1", CLERK))


def test_the_roles_of_a_session_are_those_held_and_what_they_inherit() -> None:
    """Without a session, all."""
    chosen = frozenset({HEAD, CHIEF})
    assert session_roles(BASE, ANN, chosen, instant=NOW) == {HEAD, CLERK, CHIEF}
    assert session_roles(BASE, ANN, chosen, instant=NOW + 1) == {HEAD, CLERK}
    assert session_roles(BASE, ANN, frozenset(), instant=NOW) == set()
    assert session_roles(BASE, ANN, None, instant=NOW) == {HEAD, CLERK, CHIEF}


def test_a_request_in_a_session_has_its_roles() -> None:
    """Until before it expires, and for its own principal; else it has none at all."""
    last = SESSION.expires_at - 1
    assert within(asks(), SESSION, last) == asks(active=(HEAD,))
    assert within(asks(), SESSION, last + 1) == asks(active=())
    assert within(asks(BOB), SESSION, last) == asks(BOB, active=())
    assert within(asks(active=(CHIEF,)), None, last) == asks(active=())


def test_a_session_is_in_force_for_its_principal_while_it_lasts() -> None:
    """Nobody else's, and none that is not there."""
    assert in_force(asks(), SESSION, NOW)
    assert not in_force(asks(), SESSION, SESSION.expires_at)
    assert not in_force(asks(BOB), SESSION, NOW)
    assert not in_force(asks(), None, NOW)


def many(count: int) -> frozenset[RoleId]:
    """So many roles."""
    return frozenset(RoleId(f"r{number}") for number in range(count))


LEGAL: list[Callable[[], Session]] = [
    lambda: replace(SESSION, expires_at=NOW + 1),
    lambda: replace(SESSION, expires_at=NOW + SESSION_SECONDS_MAX),
    lambda: replace(SESSION, created_at=INSTANT_MAX - 1, expires_at=INSTANT_MAX),
    lambda: replace(SESSION, created_at=0),
    lambda: replace(SESSION, opened_by="x" * ACTOR_LENGTH_MAX),
    lambda: replace(
        SESSION, roles=frozenset(RoleId(f"r{n}") for n in range(ROLES_PER_SESSION_MAX))
    ),
]
ILLEGAL: dict[str, list[Callable[[], Session]]] = {
    "expires_at": [
        lambda: replace(SESSION, expires_at=NOW),
        lambda: replace(SESSION, expires_at=NOW + SESSION_SECONDS_MAX + 1),
        lambda: replace(SESSION, created_at=INSTANT_MAX, expires_at=INSTANT_MAX + 1),
    ],
    "created_at": [
        lambda: replace(SESSION, created_at=-1),
        lambda: replace(SESSION, created_at=INSTANT_MAX + 1, expires_at=INSTANT_MAX + 2),
    ],
    "opened_by": [lambda: replace(SESSION, opened_by="x" * (ACTOR_LENGTH_MAX + 1))],
    "version": [lambda: replace(SESSION, version=0)],
    "roles": [lambda: replace(SESSION, roles=many(ROLES_PER_SESSION_MAX + 1))],
}


def test_a_session_is_legal_up_to_its_bounds() -> None:
    """Each of them is reached by a legal one."""
    assert [made().principal for made in LEGAL] == [ANN] * len(LEGAL)


@pytest.mark.parametrize("field", ILLEGAL)
def test_an_illegal_session_cannot_be_made(field: str) -> None:
    """The error names the field."""
    for make in ILLEGAL[field]:
        with pytest.raises(Illegal) as raised:
            make()
        assert raised.value.field == field


def test_a_changed_session_is_its_next_version() -> None:
    """Nothing else of it changes."""
    assert SESSION.having(frozenset({CLERK})) == replace(
        SESSION, roles=frozenset({CLERK}), version=2
    )


def test_sessions_end_with_their_principal() -> None:
    """Also when one command makes a namesake; and with no other command."""
    anew = ChangeSet((DeletePrincipal(ANN, cascade=True), CreatePrincipal(ANN)))
    assert ended_by(DeletePrincipal(ANN)) == ended_by(anew) == {ANN}
    assert ended_by(SuspendPrincipal(ANN)) == ended_by(CreatePrincipal(ANN)) == set()


@pytest.mark.parametrize(
    ("refusal", "parts"),
    [
        (NotHeld(ANN, (CHIEF, HEAD), NOW), ["`ann`", "`chief`, `head`", "does not hold"]),
        (CLASH, ["session: chief, clerk may not be active together"]),
        (Suspended(), ["principal is suspended"]),
        (AlreadyExists("active role", ("s1", HEAD)), ["active role `head` of `s1` exists already"]),
        (Missing("session", ("s1",)), ["session `s1` does not exist"]),
        (OverLimit("roles of a session", 7), ["roles of a session are limited to 7"]),
    ],
)
def test_every_refusal_is_said_in_a_line(refusal: SessionRefusal, parts: list[str]) -> None:
    """With what it is about."""
    said = session_message(refusal)
    assert all(part in said for part in parts), said
    assert "\n" not in said
    assert not said.endswith(".")
