"""The embedded engine: decides as the service does, and fails closed where it knows less."""

import threading
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from grantproof.client import Engine, PolicyError, Question, Said
from grantproof.client.results import Allow, CallerError, Deny

NOON = 1_795_262_400
"""A Saturday in November 2026, at noon."""
POLICY = """\
apiVersion: grantproof/v1
kind: Organization
id: shop
kinds: [{id: order}]
resources: [{id: orders, kind: order}]
roles: [{id: clerk}, {id: chief, parents: [clerk]}, {id: teller}]
sod_sets: [{id: session, roles: [chief, teller], n: 2, mode: dynamic}]
claims:
- {id: see, role: clerk, action: read, resource: orders/**}
- id: sign
  role: chief
  action: sign
  resource: kind:order
  constraints: [{type: time_window, start: 8, end: 18}]
- id: export
  role: clerk
  action: export
  resource: orders
  constraints: [{type: max_usage, limit: 3, period: day}]
- id: move
  role: clerk
  action: move
  resource: orders
  constraints: [{type: geo_fence, regions: [eu]}]
principals: [{id: ann}, {id: bob}, {id: eve, active: false}]
assignments:
- {principal: ann, role: chief}
- {principal: bob, role: clerk}
- {principal: bob, role: chief, until: 1795262460}
- {principal: eve, role: clerk}
"""


SAID_IN_ROWS = {"region", "hour", "usage", "rate"}


@cache
def engine(wall: float = NOON) -> Engine:
    """The policy at noon."""
    return Engine.from_text(POLICY, wall=lambda: wall)


def test_it_allows_and_says_by_which_claim() -> None:
    """With the revision and the time, and until when that holds."""
    assert engine().decide("bob", "read", "orders") == Allow("see", 1, NOON, NOON + 60)
    assert engine().decide("ann", "sign", "orders") == Allow("sign", 1, NOON, NOON + 3_600)


@pytest.mark.parametrize(
    ("asked", "said", "code"),
    [
        (("zoe", "read", "orders"), {}, "unknown_principal"),
        (("eve", "read", "orders"), {}, "suspended"),
        (("ann", "read", "nothing"), {}, "unknown_resource"),
        (("ann", "burn", "orders"), {}, "no_matching_claim"),
        (("ann", "sign", "orders"), {"hour": 3}, "constraint_failed"),
        (("ann", "move", "orders"), {}, "constraint_failed"),
        (("ann", "move", "orders"), {"region": "us"}, "constraint_failed"),
        (("ann", "read", "orders"), {"active_roles": []}, "no_role"),
        (("ann", "read", "orders"), {"resource_kind": "kind"}, "unknown_resource"),
    ],
)
def test_it_denies_and_says_why(asked: tuple[str, str, str], said: Any, code: str) -> None:
    """For programs and in words."""
    found = engine().decide(*asked, **said)
    assert isinstance(found, Deny)
    assert (found.code, found.allowed) == (code, False)
    assert found.reason != ""


def test_it_is_told_the_context() -> None:
    """As a caller of the service that is trusted."""
    known = engine()
    assert known.decide("ann", "move", "orders", region="eu").allowed
    assert known.decide("ann", "move", "orders", region="eu", hour=3, weekday=6).allowed
    unregistered = known.decide("ann", "read", "new", resource_kind="order")
    assert isinstance(unregistered, Deny)
    assert unregistered.code == "no_matching_claim"
    assert known.decide("ann", "sign", "new", resource_kind="order").allowed
    assert known.decide("ann", "read", "orders", active_roles=["clerk", "clerk"]).allowed


def test_what_is_not_counted_fails() -> None:
    """Nobody counts here: usage and rate are the caller's to say."""
    known = engine()
    found = known.decide("ann", "export", "orders")
    assert isinstance(found, Deny)
    assert (found.code, found.claim, found.valid_until) == ("constraint_failed", "export", None)
    assert known.decide("ann", "export", "orders", usage=2) == Allow("export", 1, NOON, None)
    assert known.decide("ann", "export", "orders", usage=2, rate=0).allowed
    assert not known.decide("ann", "export", "orders", usage=3).allowed
    assert not known.decide("ann", "export", "orders", usage=3, rate=0).allowed
    assert not known.decide("ann", "export", "orders", rate=0).allowed


def test_a_claim_that_is_counted_hides_no_end_of_another() -> None:
    """No counter bears on the answer, so until when it holds is told, also beside one."""
    beside = "claims:\n- id: office\n  role: chief\n  action: export\n  resource: orders\n"
    beside += "  constraints: [{type: time_window, start: 8, end: 18}]"
    known = Engine.from_text(POLICY.replace("claims:", beside), wall=lambda: NOON)
    assert known.decide("ann", "export", "orders") == Allow("office", 1, NOON, NOON + 3_600)
    later = known.decide("bob", "export", "orders", usage=3, rate=0)
    assert (later.allowed, later.valid_until) == (True, NOON + 60)
    denied = known.decide("bob", "export", "orders", usage=3, rate=0, active_roles=["clerk"])
    assert (denied.allowed, denied.valid_until) == (False, NOON + 60)


def test_the_year_passes_whatever_hour_is_said() -> None:
    """Hour and weekday can be supplied, the year cannot: what looks at it holds for no longer."""
    renewed = "claims:\n- id: renew\n  role: clerk\n  action: renew\n  resource: orders\n"
    renewed += "  constraints: [{type: attribute, path: context.paid, op: ge,"
    renewed += " operand: {path: clock.year}}]"
    known = Engine.from_text(POLICY.replace("claims:", renewed), wall=lambda: NOON)
    for paid, allowed in ((2026, True), (2025, False)):
        attributes = {"paid": paid}
        told = known.decide("ann", "renew", "orders", hour=9, weekday=1, attributes=attributes)
        assert (told.allowed, told.valid_until) == (allowed, NOON + 3_600)
    windowed = known.decide("ann", "sign", "orders", hour=9, weekday=1)
    assert (windowed.allowed, windowed.valid_until) == (True, None)


def test_it_says_until_when_asked_again_as_at_first() -> None:
    """Where a count is missing nothing, though the hour matters too; else the end of the hour."""
    beside = "claims:\n- id: office\n  role: chief\n  action: export\n  resource: orders\n"
    beside += "  constraints: [{type: time_window, start: 8, end: 18}]"
    teller = "\n- {principal: cid, role: teller}\n"
    text = POLICY.replace("claims:", beside).replace("{id: bob}", "{id: bob}, {id: cid}") + teller
    known = Engine.from_text(text, wall=lambda: NOON)
    for _ in range(2):
        missing = known.decide("ann", "export", "orders", hour=3)
        assert (missing.allowed, missing.valid_until) == (False, None)
        counted = known.decide("ann", "export", "orders", hour=3, usage=3)
        assert (counted.allowed, counted.valid_until) == (False, NOON + 3_600)
        nothing = known.decide("cid", "sign", "orders")
        assert isinstance(nothing, Deny)
        assert (nothing.code, nothing.valid_until) == ("no_matching_claim", NOON + 3_600)
        never = known.decide("cid", "read", "orders")
        assert (never.allowed, never.valid_until) == (False, None)


def test_the_certificate_comes_on_demand() -> None:
    """The document that the service would give, also where usage was said."""
    known = engine()
    cases: list[tuple[str, Said, str]] = [
        ("read", Said(explain=True), "see"),
        ("export", Said(explain=True, usage=0), "export"),
    ]
    for action, said, claim in cases:
        found = known.decide("ann", action, "orders", **said)
        assert isinstance(found, Allow)
        assert found.certificate is not None
        assert found.certificate["claim"]["id"] == claim
        assert found.certificate["roles"] == ["chief", "clerk"]
        assert (found.certificate["revision"], found.certificate["instant"]) == (1, NOON)
    plain = known.decide("ann", "read", "orders")
    assert isinstance(plain, Allow)
    assert plain.certificate is None


@pytest.mark.parametrize(
    ("asked", "said", "field"),
    [
        (("", "read", "orders"), {}, "principal"),
        (("ann", "re ad", "orders"), {}, "action"),
        (("ann", "read", "a\nb"), {}, "resource"),
        ((None, "read", "orders"), {}, "principal"),
        (("ann", "read", ["orders"]), {}, "principal"),
        (("ann", "read", "orders"), {"hour": 24}, "hour"),
        (("ann", "read", "orders"), {"hour": True}, "hour"),
        (("ann", "read", "orders"), {"usage": -1}, "usage"),
        (("ann", "read", "orders"), {"region": ""}, "region"),
        (("ann", "read", "orders"), {"region": ["eu"]}, "region"),
        (("ann", "read", "orders"), {"usage": True}, "usage"),
        (("ann", "read", "orders"), {"usage": 2**63}, "usage"),
        (("ann", "read", "orders"), {"rate": -1}, "rate"),
        (("ann", "read", "orders"), {"rate": True}, "rate"),
        (("ann", "read", "orders"), {"hour": -1}, "hour"),
        (("ann", "read", "orders"), {"position": "here"}, "position"),
        (("ann", "read", "orders"), {"attributes": {"x": 1.5}}, "attributes.x"),
        (("ann", "read", "orders"), {"active_roles": ["?"]}, "active_roles[0]"),
        (("ann", "read", "orders"), {"session_id": "s"}, "session_id"),
        (("ann", "read", "orders"), {"usge": 1}, "usge"),
    ],
)
def test_an_illegal_question_is_an_error(asked: Any, said: Any, field: str) -> None:
    """It names the field; nothing is coerced."""
    known = engine()
    known.decide("ann", "read", "orders")
    with pytest.raises(CallerError) as raised:
        known.decide(*asked, **said)
    assert (raised.value.code, raised.value.status) == ("invalid", 400)
    assert f"`{field}" in raised.value.detail
    if said.keys() <= SAID_IN_ROWS:
        row: Any = (*asked, *(said.get(name) for name in ("region", "hour", "usage", "rate")))
        with pytest.raises(CallerError) as raised_by_rows:
            known.decide_rows([ROWS[0], row, ROWS[0]])
        assert raised_by_rows.value.errors == raised.value.errors


def test_many_are_decided_at_once() -> None:
    """By one policy at one instant, in order."""
    ticking = iter(range(NOON, NOON + 100))
    known = Engine.from_text(POLICY, wall=lambda: next(ticking))
    asked = [Question("ann", "read", "orders"), Question("zoe", "read", "orders")] * 2
    found = known.decide_many(asked)
    assert [one.allowed for one in found] == [True, False, True, False]
    assert len({one.decided_at for one in found}) == 1


ROWS = (
    ("ann", "read", "orders", None, None, None, None),
    ("ann", "sign", "orders", None, None, None, None),
    ("ann", "sign", "orders", None, 3, None, None),
    ("ann", "sign", "orders", None, 8, None, None),
    ("ann", "move", "orders", "eu", None, None, None),
    ("ann", "move", "orders", "us", None, None, None),
    ("ann", "export", "orders", None, None, 2, None),
    ("ann", "export", "orders", None, None, 2, 2**30),
    ("ann", "export", "orders", None, None, 2**30, 0),
    ("ann", "export", "orders", None, None, None, 0),
    ("bob", "read", "orders", None, None, None, None),
    ("zoe", "read", "orders", None, None, None, None),
    ("ann", "burn", "orders", None, None, None, None),
)


def test_rows_are_decided_as_questions_are() -> None:
    """Those that the tables know and those that they do not, asked once and asked again."""
    known = Engine.from_text(POLICY, wall=lambda: NOON)
    for _ in range(2):
        found = known.decide_rows(ROWS)
        one_by_one = [
            known.decide(who, what, which, region=region, hour=hour, usage=usage, rate=rate)
            for who, what, which, region, hour, usage, rate in ROWS
        ]
        assert list(found) == one_by_one
        assert found.allowed == [one.allowed for one in one_by_one]
        assert found[3:5] == tuple(one_by_one[3:5])
        assert (len(found), found[-1]) == (len(ROWS), one_by_one[-1])
    assert 0 < sum(known.decide_rows(ROWS).allowed) < len(ROWS)
    with pytest.raises(IndexError):
        known.decide_rows(ROWS)[len(ROWS)]


def test_what_rows_come_to_does_not_change_while_nobody_looks(tmp_path: Path) -> None:
    """Not with the clock, not with the policy, and not with the list that they stood in."""
    instants = iter([NOON, NOON, NOON + 60, NOON + 60])
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    known = Engine.from_file(file, wall=lambda: next(instants))
    file.write_text(POLICY.replace("action: read", "action: look"))
    asked = [ROWS[10], ROWS[0], ROWS[1]]
    told = list(known.decide_rows(asked))
    found = known.decide_rows(asked)
    known.reload()
    asked.clear()
    assert list(found) == told
    assert {(one.revision, one.decided_at) for one in found} == {(1, NOON)}
    assert known.decide_rows([ROWS[0]]).allowed == [False]


def test_the_instant_never_moves_back() -> None:
    """A clock that is set back makes nobody young."""
    instants = iter([NOON, NOON + 60, NOON, NOON + 61])
    known = Engine.from_text(POLICY, wall=lambda: next(instants))
    found = [known.decide("bob", "sign", "orders") for _ in range(4)]
    assert [one.decided_at - NOON for one in found] == [0, 60, 60, 61]
    assert [one.allowed for one in found] == [True, False, False, False]


def test_whoever_comes_late_with_an_instant_does_not_set_it_back() -> None:
    """Another decision was made at a later one, between the clock and here."""
    instants = iter([NOON + 60, NOON + 1, NOON + 2])
    between: list[int] = []

    def wall() -> float:
        if not between:
            between.append(0)
            between[0] = known.decide("bob", "sign", "orders").decided_at
        return next(instants)

    known = Engine.from_text(POLICY, wall=wall)
    late = known.decide("bob", "sign", "orders")
    assert (between, late.decided_at) == ([NOON + 60], NOON + 60)
    assert known.decide("bob", "sign", "orders").decided_at == NOON + 60


# ---------------------------------------------------------------- files


def test_a_policy_is_read_of_files_and_folders(tmp_path: Path) -> None:
    """As `grantproof policy check` reads them."""
    folder = tmp_path / "policy"
    folder.mkdir()
    head, _, people = POLICY.partition("principals:")
    (folder / "roles.yaml").write_text(head)
    (folder / "people.yaml").write_text(
        f"apiVersion: grantproof/v1\nkind: Organization\nprincipals:{people}"
    )
    (folder / "roles_test.yaml").write_text("no policy")
    for paths in ([folder], [str(folder / "roles.yaml"), folder / "people.yaml"]):
        known = Engine.from_file(*paths)
        assert (known.organization, known.revision) == ("shop", 1)
        assert known.decide("ann", "read", "orders").allowed


def test_what_is_wrong_with_a_policy_is_told_with_its_place(tmp_path: Path) -> None:
    """Every problem, with its file, line and column; of a file that is not there that."""
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY.replace("role: clerk, action: read", "role: clerc, action: read"))
    with pytest.raises(PolicyError, match=r"policy\.yaml:9:19: claims\[0\]\.role") as raised:
        Engine.from_file(file)
    assert [one["line"] for one in raised.value.problems] == [9]
    with pytest.raises(PolicyError, match=r"`.*/none\.yaml` cannot be read"):
        Engine.from_file(tmp_path / "none.yaml")
    with pytest.raises(PolicyError, match="policy:1:1"):
        Engine.from_text("[]")


def test_a_reload_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """An illegal policy changes nothing; a legal one counts from then on."""
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    known = Engine.from_file(file)
    file.write_text(POLICY.replace("id: shop", "id: shop\nx: y"))
    with pytest.raises(PolicyError):
        known.reload()
    assert (known.revision, known.decide("ann", "read", "orders").allowed) == (1, True)
    file.write_text(POLICY.replace("action: read", "action: look"))
    assert known.reload() == known.revision == 2
    found = known.decide("ann", "read", "orders")
    assert (found.allowed, found.revision) == (False, 2)
    proven = known.decide("ann", "look", "orders", explain=True)
    assert isinstance(proven, Allow)
    assert proven.certificate is not None
    assert proven.certificate["revision"] == 2


def test_threads_get_answers_of_one_policy_while_it_is_reloaded(tmp_path: Path) -> None:
    """Each question in its own context, each answer of the revision that it names."""
    allowed = {False: POLICY, True: POLICY.replace("action: move", "action: read")}
    file = tmp_path / "policy.yaml"
    file.write_text(POLICY)
    known = Engine.from_file(file, wall=lambda: NOON)
    faults: list[object] = []
    stop = threading.Event()

    def ask(region: str) -> None:
        while not stop.is_set():
            found = known.decide("ann", "move", "orders", region=region)
            if found.allowed != (region == "eu" and found.revision % 2 == 1):
                faults.append((region, found))

    threads = [threading.Thread(target=ask, args=(region,)) for region in ("eu", "us")]
    for thread in threads:
        thread.start()
    for turn in (2, 3):
        file.write_text(allowed[turn % 2 == 0])
        assert known.reload() == turn
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
