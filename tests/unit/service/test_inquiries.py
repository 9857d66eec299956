"""Questions about what is possible as documents: bounded, plain, and honest about what is unknown.

What is true is tested where it is worked out; here it is how it is told.
"""

import json
import pickle
from dataclasses import replace

import msgspec
import pytest

from grantproof.core.attributes import Operator, Path, PrincipalIdentity, Root
from grantproof.core.constraints import Attribute, Constraint, Context, MaxUsage, TimeWindow
from grantproof.core.guardrails import Access, Forbidden, MemberOf
from grantproof.core.identifiers import AttributeName, PrincipalId, ResourceId
from grantproof.core.metering import Counter
from grantproof.core.model import (
    Assignment,
    Exactly,
    Fact,
    Group,
    Inheritance,
    Membership,
    OfKind,
    Principal,
    Role,
    Validity,
)
from grantproof.service import inquiries
from grantproof.service.inquiries import NAMED_MAX, Deed, Finding
from grantproof.service.witness_tree import allowed_tree
from tests.organizations import (
    ANN,
    BOB,
    C2,
    CLERK,
    EVE,
    FILE,
    HEAD,
    NOON,
    PLAN,
    READ,
    STAFF,
    WRITE,
    asks,
    claim,
    dynamic,
    guardrail,
    library,
    made_of,
    pair,
    people,
    roles,
)
from tests.unit.analysis.baffled import Baffled

NOW = 1_000
DEED = Deed(READ, PLAN)
MANY = tuple(PrincipalId(f"p{number:05}") for number in range(NAMED_MAX + 7))
NEVER: tuple[Constraint, ...] = (TimeWindow(1, 2), TimeWindow(2, 3))


def plain(finding: Finding) -> Finding:
    """The finding, which survives the way back from another process, and JSON of both kinds."""
    written = msgspec.json.encode(finding.document)
    assert msgspec.json.decode(written) == json.loads(json.dumps(finding.document))
    assert pickle.loads(pickle.dumps(finding)) == finding  # noqa: S301 - our own
    return finding


def held_by(*principals: PrincipalId, facts: tuple[Fact, ...] = ()) -> tuple[Fact, ...]:
    """The library, and clerks who read the plan unless other facts say more."""
    assigned = (Assignment(one, CLERK) for one in principals)
    return (*library(), *people(*principals), Role(CLERK), *assigned, *facts)


def test_a_session_that_it_takes_is_told() -> None:
    """As a request names it, and in words; of one that needs none nothing is said of it."""
    facts = (claim(), Role(HEAD), Assignment(ANN, HEAD), dynamic(pair()))
    told = plain(inquiries.who_can(made_of(*held_by(ANN, BOB, facts=facts)), DEED, None, now=NOW))
    chosen, free = told.document["able"]["items"]
    asked = {"principal_id": "ann", "action": "read", "resource_id": "docs/plan"}
    assert chosen["request"] == {**asked, "active_roles": ["clerk"]}
    assert free["request"] == {**asked, "principal_id": "bob"}
    assert allowed_tree(chosen).label == "ann: read docs/plan in a session of clerk"
    assert allowed_tree(free).label == "bob: read docs/plan"


def test_what_a_session_allows_is_granted() -> None:
    """Also of a set that is asked about itself; not by a role that nobody can have active."""
    held = (claim(), Role(HEAD), Assignment(ANN, HEAD), dynamic(pair()))
    anybody = Forbidden(Access(Exactly(READ), Exactly(PLAN)), frozenset())
    found = plain(inquiries.not_granted(made_of(*held_by(ANN, facts=held)), anybody, now=NOW))
    (request,) = found.document["counterexample"]["requests"]
    assert (found.yes, request["request"]["active_roles"]) == (False, ["clerk"])
    never = (*held, Inheritance(CLERK, HEAD))
    assert inquiries.not_granted(made_of(*held_by(ANN, facts=never)), anybody, now=NOW).yes
    itself = Exactly(ResourceId("sod-set:pair"))
    on_set = Forbidden(Access(Exactly(READ), itself), frozenset())
    of_set = made_of(*held_by(ANN, facts=(*held[1:], claim(resource=itself))))
    assert inquiries.not_granted(of_set, on_set, now=NOW).yes is False


def test_a_class_of_many_is_counted_and_named_in_part() -> None:
    """So many names, and how many there are."""
    state = made_of(*held_by(*MANY, facts=(claim(),)))
    found = plain(inquiries.who_can(state, DEED, None, now=NOW))
    (able,) = found.document["able"]["items"]
    assert (found.yes, found.document["principals"], able["count"]) == (True, len(MANY), len(MANY))
    assert able["principals"] == list(MANY[:NAMED_MAX])
    assert (able["from"], able["until"], able["conditional"]) == (NOW, None, False)


def test_many_classes_are_counted_and_told_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each principal is a class of its own, so many classes are told."""
    own = Attribute(Path(Root.CONTEXT, AttributeName("owner")), Operator.EQ, PrincipalIdentity())
    monkeypatch.setattr(inquiries, "LISTED_MAX", 3)
    few = MANY[:5]
    timed = tuple(
        Assignment(one, CLERK, Validity(end=NOW + 10 + number)) for number, one in enumerate(few)
    )
    state = made_of(*library(), *people(*few), Role(CLERK), *timed, claim(own))
    found = inquiries.who_can(state, DEED, NOON, now=NOW)
    assert found.yes is False
    said = plain(inquiries.who_can(state, DEED, None, now=NOW))
    able = said.document["able"]
    assert (said.document["principals"], able["count"]) == (len(few), len(few))
    assert len(able["items"]) == 3
    assert able["items"][0]["until"] == NOW + 10


@pytest.fixture
def baffled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known."""
    monkeypatch.setattr(inquiries, "_solver", lambda _: Baffled())


@pytest.mark.usefixtures("baffled")
def test_what_is_not_known_is_neither_yes_nor_no() -> None:
    """Who it is that is not known of is told, and why."""
    state = made_of(*held_by(ANN, facts=(claim(*NEVER),)))
    rule = Forbidden(Access(Exactly(READ), Exactly(PLAN)))
    answers = [
        plain(inquiries.who_can(state, DEED, None, now=NOW)),
        plain(inquiries.what_can(state, ANN, now=NOW)),
        plain(inquiries.dead(state, now=NOW)),
        plain(inquiries.why_not(state, asks(), NOON)),
        plain(inquiries.not_granted(state, rule, now=NOW)),
    ]
    assert [(one.yes, one.why) for one in answers] == [(None, "no idea")] * 5
    assert answers[0].document["undetermined"]["items"][0]["principals"] == [ANN]
    assert answers[1].document["undetermined"]["items"][0]["claim"]["id"] == "c1"
    assert answers[2].document["undetermined"]["count"] == 1
    assert answers[3].document["undetermined"]["items"][0]["claim"]["id"] == "c1"
    assert answers[3].document["reason_code"] == "constraint_failed"


@pytest.mark.usefixtures("baffled")
def test_what_is_known_is_told_beside_what_is_not() -> None:
    """In a context nothing has to be found out; a role that nobody holds is dead in any case."""
    state = made_of(*held_by(ANN, facts=(claim(*NEVER), Role(HEAD))))
    assert inquiries.who_can(state, DEED, NOON, now=NOW).yes is False
    found = inquiries.dead(state, now=NOW)
    assert (found.yes, found.document["unused_roles"]["items"]) == (False, [HEAD])
    assert found.document["undetermined"]["count"] == 1
    other = (claim(*NEVER), Role(HEAD), claim(id=C2, role=HEAD))
    helped = inquiries.why_not(made_of(*held_by(ANN, facts=other)), asks(), NOON)
    assert (helped.yes, helped.document["remedies"]["count"]) == (False, 1)
    assert helped.document["undetermined"]["count"] == 1


def test_what_somebody_can_never_use_is_told_apart() -> None:
    """With what is good for something."""
    state = made_of(*held_by(ANN, facts=(claim(), claim(*NEVER, id=C2))))
    found = plain(inquiries.what_can(state, ANN, now=NOW))
    assert found.yes is True
    assert [one["certificate"]["claim"]["id"] for one in found.document["usable"]["items"]] == [
        "c1"
    ]
    assert [one["id"] for one in found.document["useless"]["items"]] == ["c2"]


def test_a_remedy_that_a_guardrail_forbids_says_so_and_comes_last() -> None:
    """It is tried on the guardrails too, though it would be the least."""
    writes = claim(action=Exactly(WRITE))
    later = claim(TimeWindow(9, 10), id=C2, role=HEAD, action=Exactly(WRITE))
    facts = (
        *library(),
        *people(ANN),
        *roles(CLERK, HEAD),
        Group(STAFF),
        Membership(ANN, STAFF),
        writes,
        later,
    )
    free = inquiries.why_not(made_of(*facts), asks(action=WRITE), NOON)
    assert [one["claim"]["id"] for one in free.document["remedies"]["items"]] == ["c1", "c2"]
    state = made_of(*facts, guardrail(MemberOf(STAFF)))
    found = plain(inquiries.why_not(state, asks(action=WRITE), NOON))
    assert (found.yes, found.document["reason_code"]) == (False, "no_role")
    codes = {one["refusal"]["code"] for one in found.document["remedies"]["items"]}
    assert codes == {"breaks_guardrail"}
    told = found.document["remedies"]["items"][0]
    assert told["commands"][0]["type"] == "AssignRole"
    assert told["refusal"]["message"].startswith("guardrail `calm` forbids that `ann` may write")


def test_a_remedy_that_is_refused_says_why() -> None:
    """As the command would be refused, without the position in a list that nobody typed."""
    facts = (*people(ANN), *roles(CLERK, HEAD), Assignment(ANN, HEAD), pair(), claim())
    found = plain(inquiries.why_not(made_of(*library(), *facts), asks(), NOON))
    (remedy,) = found.document["remedies"]["items"]
    assert remedy["refusal"]["code"] == "breaks_sod"
    assert remedy["refusal"]["message"].startswith("separation of duty: ")


def test_counts_are_those_of_the_meter_unless_they_are_given() -> None:
    """What has not been used up is not missing, whatever else is."""
    limited = claim(MaxUsage(2), TimeWindow(1, 2))
    state = made_of(*held_by(ANN, facts=(limited,)))
    night = replace(NOON, hour=1)

    def missing(context: Context, used: int) -> list[str]:
        readings = {Counter(ANN, limited.id, "total", 0): used}
        found = inquiries.why_not(state, asks(), context, readings=readings)
        items = found.document["remedies"]["items"]
        return [one["constraint"]["type"] for item in items for one in item["conditions"]]

    assert missing(night, 1) == []
    assert missing(night, 2) == ["max_usage"]
    assert missing(NOON, 1) == ["time_window"]
    assert missing(NOON, 2) == ["max_usage", "time_window"]
    assert missing(replace(NOON, usage=0), 2) == ["time_window"]


def test_what_is_needless_names_what_makes_it_so() -> None:
    """Claims and assignments, with the other one."""
    wide, narrow = claim(), claim(TimeWindow(9, 12), id=C2)
    facts = (Principal(EVE, active=False), wide, narrow)
    state = made_of(*held_by(ANN, facts=facts))
    found = plain(inquiries.dead(state, now=NOW))
    (redundant,) = found.document["redundant_claims"]["items"]
    assert (redundant["claim"]["id"], redundant["because_of"]["id"]) == ("c2", "c1")
    fine = plain(inquiries.dead(made_of(*held_by(ANN, BOB, facts=(wide,))), now=NOW))
    assert (fine.yes, fine.why) == (True, "")


def test_an_unregistered_resource_is_told_with_its_kind() -> None:
    """In plain text, as in every other answer."""
    state = made_of(*held_by(ANN, facts=(claim(resource=OfKind(FILE)),)))
    found = plain(inquiries.who_can(state, Deed(READ, ResourceId("new"), FILE), None, now=NOW))
    (able,) = found.document["able"]["items"]
    assert able["request"]["resource_kind"] == "file"
    nowhere = plain(inquiries.who_can(state, Deed(READ, ResourceId("new")), None, now=NOW))
    assert (nowhere.yes, nowhere.document["resource_known"]) == (False, False)
