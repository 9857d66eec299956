"""Running the tests of a policy: what passes, what fails and why, and what is reached."""

from dataclasses import replace

import pytest

from grantproof.core import metering
from grantproof.core.errors import BreaksSod
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, NoRole
from grantproof.policyfile.policy_test_document import ContextEntry
from grantproof.policyfile.policy_test_text import Suite, misnamed, read_tests
from grantproof.service import policy_tests
from grantproof.service.policy_tests import Result, Trial, context_of
from grantproof.service.review import Explanation
from tests.policies import accepted, founded

HEAD = "apiVersion: grantproof/v1\nkind: PolicyTest\ncontext: {instant: '2026-01-30T09:30:00Z'}\n"
REQUEST_FIELDS = ("active_roles", "resource_kind")
POLICY = """
apiVersion: grantproof/v1
kind: Organization
id: acme
time_zone: Asia/Tokyo
kinds: [{id: document}]
principals:
  - {id: alice, attributes: {level: 3}}
  - {id: bob}
  - {id: carol}
  - {id: dan, active: false}
  - {id: root}
groups: [{id: staff}, {id: company}]
memberships: [{principal: bob, group: staff}]
nestings: [{group: staff, container: company}]
roles:
  - {id: reader}
  - {id: writer, parents: [reader]}
  - {id: submitter}
  - {id: approver}
  - {id: idle}
  - {id: heir, parents: [writer]}
  - {id: admin}
resources: [{id: docs, kind: document}, {id: docs/plan, kind: document, parent: docs}]
claims:
  - {id: read, role: reader, action: read, resource: docs/**}
  - id: write
    role: writer
    action: write
    resource: docs
    constraints:
      - {type: time_window, start: 9, end: 19}
      - {type: attribute, path: principal.level, op: ge, operand: 3}
  - id: export
    role: reader
    action: export
    resource: docs
    constraints: [{type: max_usage, limit: 2, period: day}, {type: rate_limit, per_minute: 5}]
  - {id: submit, role: submitter, action: submit, resource: docs}
  - {id: approve, role: approver, action: approve, resource: docs}
  - {id: all, role: admin, action: administer, resource: "organization:acme"}
  - id: two
    role: reader
    action: two
    resource: docs
    constraints:
      - {type: attribute, path: principal.level, op: ge, operand: 3}
      - {type: attribute, path: principal.team, op: eq, operand: x}
  - {id: give, role: admin, action: assign, resource: "kind:role"}
  - {id: yearly, role: submitter, action: year, resource: docs, constraints: [
      {type: attribute, path: context.until, op: ge, operand: {path: clock.year}}]}
sod_sets:
  - {id: pay, roles: [writer, approver], n: 2}
  - {id: now, roles: [submitter, approver], n: 2, mode: dynamic}
assignments:
  - {principal: alice, role: writer, until: "2027-01-01T00:00:00Z"}
  - {group: company, role: writer}
  - {principal: carol, role: submitter}
  - {principal: carol, role: approver}
  - {principal: dan, role: reader}
  - {principal: root, role: admin}
"""


@pytest.fixture(scope="module")
def state() -> Organization:
    """The policy under test."""
    return founded(POLICY)


def tried(trial: Trial, state: Organization, body: str) -> list[Result]:
    """The results of the tests of a file."""
    suite = read_tests(HEAD + body)
    assert isinstance(suite, Suite), suite
    assert misnamed(suite, state) == ()
    return list(trial.run(suite.document, lambda name: "left out" not in name))


def case(who: str, action: str, **more: str) -> str:
    """A case on the documents: the fields of its request, then what else it has."""
    own = {name: more.pop(name) for name in REQUEST_FIELDS if name in more}
    resource = more.pop("resource", "docs")
    request: dict[str, str] = {"principal": who, "action": action, "resource": resource, **own}
    asked = ", ".join(f"{name}: {value}" for name, value in request.items())
    rest = "".join(f"    {name}: {value}\n" for name, value in more.items())
    return f"  - name: {who} {action}\n    request: {{{asked}}}\n{rest}"


@pytest.mark.parametrize(
    "text",
    [
        case("alice", "read", expect="Allow", claim="read", role_path="[writer, reader]"),
        case("alice", "read", expect="Allow", resource="docs/plan", group_path="[]"),
        case("bob", "read", expect="Allow", group_path="[staff, company]"),
        # Half past nine in UTC is half past six in the evening in Tokyo.
        case("alice", "write", expect="Allow", claim="write"),
        case("alice", "write", expect="Deny", context="{hour: 19}", failed="[time_window]"),
        case("alice", "write", expect="Deny", context="{instant: '2026-01-30T10:00:00Z'}"),
        case("alice", "write", expect="Deny", context="{instant: 1830297600}", reason="no_role"),
        case(
            "bob",
            "write",
            expect="Deny",
            claim="write",
            context="{hour: 3}",
            failed=("[attribute, {type: time_window, start: 9, end: 19}]"),
        ),
        # A type is content with what the whole constraint leaves.
        case(
            "bob",
            "two",
            expect="Deny",
            failed="[attribute, {type: attribute, path: principal.level, op: ge, operand: 3}]",
        ),
        case("bob", "write", expect="Allow", context="{principal_properties: {level: 9}}"),
        case("alice", "export", expect="Allow"),
        case("alice", "export", expect="Allow", context="{usage: 1, rate: 4}"),
        case("alice", "export", expect="Deny", context="{usage: 2}", failed="[max_usage]"),
        case("alice", "export", expect="Deny", context="{rate: 5}", failed="[rate_limit]"),
        case("dan", "read", expect="Deny", reason="suspended"),
        case("eve", "read", expect="Deny", reason="unknown_principal"),
        case("alice", "read", resource="other", expect="Deny", reason="unknown_resource"),
        case("alice", "read", resource="other", resource_kind="document", expect="Deny"),
        case("carol", "submit", expect="Deny", reason="session_clash"),
        case("carol", "submit", active_roles="[submitter]", expect="Allow"),
        case(
            "carol", "delete", active_roles="[submitter]", expect="Deny", reason="no_matching_claim"
        ),
        case(
            "carol",
            "year",
            active_roles="[submitter]",
            context="{attributes: {until: 2026}}",
            expect="Allow",
        ),
        case(
            "carol",
            "year",
            active_roles="[submitter]",
            context="{attributes: {until: 2026}, year: 2027}",
            expect="Deny",
        ),
    ],
)
def test_what_is_as_expected_passes(text: str, state: Organization) -> None:
    """With all the evidence that the case asks for."""
    (result,) = tried(Trial(state), state, f"cases:\n{text}")
    assert result.wrong == ()
    assert result.passed
    assert result.why is None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (case("alice", "read", expect="Deny"), "Allow, expected Deny"),
        (case("carol", "read", active_roles="[submitter]", expect="Allow"), "Deny, expected Allow"),
        (
            case("alice", "read", expect="Allow", claim="write"),
            "claim: `read` grants, expected `write`",
        ),
        (
            case("alice", "read", expect="Allow", role_path="[reader]"),
            "role_path: writer -> reader, expected reader",
        ),
        (
            case("alice", "read", expect="Allow", group_path="[staff]"),
            "group_path: none, expected staff",
        ),
        (
            case("bob", "read", expect="Allow", group_path="[]"),
            "group_path: staff -> company, expected none",
        ),
        (
            case("dan", "read", expect="Deny", reason="no_role"),
            "reason: suspended, expected no_role",
        ),
        (
            case("dan", "read", expect="Deny", failed="[time_window]"),
            "reason: suspended, expected that a constraint fails",
        ),
        (
            case("alice", "write", expect="Deny", context="{hour: 3}", claim="read"),
            "claim: `write` comes nearest, expected `read`",
        ),
        (
            case("bob", "two", expect="Deny", failed="[attribute]"),
            (
                'failed: {"type": "attribute", "path": "principal.level", "op": "ge", "operand":'
                ' 3}, {"type": "attribute", "path": "principal.team", "op": "eq", "operand": "x"},'
                " expected attribute"
            ),
        ),
        (
            case("alice", "write", expect="Deny", context="{hour: 3}", failed="[attribute]"),
            (
                'failed: {"type": "time_window", "start": 9, "end": 19, "weekdays": [0, 1, 2,'
                " 3, 4, 5, 6]}, expected attribute"
            ),
        ),
        (
            case(
                "alice",
                "write",
                expect="Deny",
                context="{hour: 3}",
                failed="[time_window, attribute]",
            ),
            (
                'failed: {"type": "time_window", "start": 9, "end": 19, "weekdays": [0, 1, 2,'
                " 3, 4, 5, 6]}, expected time_window, attribute"
            ),
        ),
    ],
)
def test_what_is_not_as_expected_fails_and_says_how(
    text: str, wrong: str, state: Organization
) -> None:
    """In a line, and with all that bears on the request."""
    (result,) = tried(Trial(state), state, f"cases:\n{text}")
    assert result.wrong == (wrong,)
    assert not result.passed
    assert isinstance(result.why, Explanation)


def test_a_result_says_what_was_expected_and_what_happened(state: Organization) -> None:
    """In words, for whoever reads it in a report."""
    asked = case("bob", "write", expect="Deny", reason="constraint_failed", claim="write")
    (result,) = tried(Trial(state), state, f"cases:\n{asked}")
    assert result.expected == "Deny, constraint_failed, claim `write`"
    assert result.actual.startswith("Deny, constraint_failed, claim `write`: principal.level")
    full = case("alice", "read", expect="Allow", role_path="[writer, reader]", group_path="[]")
    (result,) = tried(Trial(state), state, f"cases:\n{full}")
    assert result.expected == "Allow, role_path writer -> reader, group_path none"
    assert result.actual == "Allow, claim `read`"


def change(text: str, expect: str, **more: str) -> str:
    """A change, and what is to become of it."""
    rest = "".join(f"    {name}: {value}\n" for name, value in more.items())
    return f"changes:\n  - name: change\n    change: {text}\n    expect: {expect}\n{rest}"


ASSIGN = "{type: AssignRole, principal: alice, role: %s}"
SEVERAL = "[{type: CreateRole, role: new}, {type: DeleteRole, role: writer}]"


@pytest.mark.parametrize(
    "text",
    [
        change(ASSIGN % "idle", "accepted"),
        change(
            ASSIGN % "approver",
            "refused",
            witness="{kind: breaks_sod, sod_set: pay, principal: alice, roles: [approver, writer]}",
        ),
        change(ASSIGN % "nothing", "refused", witness="{kind: missing, ids: [nothing]}"),
        change(SEVERAL, "refused", witness="{kind: named_by_sod_set, role: writer, position: 1}"),
        change(
            "{type: RevokeRole, principal: root, role: admin}",
            "refused",
            witness="{kind: last_administrator}",
        ),
        change(ASSIGN % "idle", "accepted", by="root"),
        change(
            ASSIGN % "idle",
            "refused",
            by="alice",
            witness="{kind: not_permitted, principal: alice, because: required}",
        ),
    ],
)
def test_a_change_that_ends_as_expected_passes(text: str, state: Organization) -> None:
    """Of a refusal the kind counts, and the fields that are told."""
    (result,) = tried(Trial(state), state, text)
    assert result.wrong == ()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (change(ASSIGN % "approver", "accepted"), ["refused, expected accepted"]),
        (
            change(ASSIGN % "idle", "refused", witness="{kind: breaks_sod}"),
            ["accepted, expected refused"],
        ),
        (
            # A slip in a name is no separation of duty that works.
            change(ASSIGN % "aprover", "refused", witness="{kind: breaks_sod}"),
            ["witness.kind: missing, expected breaks_sod"],
        ),
        (
            change(
                ASSIGN % "approver", "refused", witness="{kind: breaks_sod, n: 3, sod_set: now}"
            ),
            ["witness.n: 2, expected 3", "witness.sod_set: pay, expected now"],
        ),
    ],
)
def test_a_change_that_ends_otherwise_fails(
    text: str, wrong: list[str], state: Organization
) -> None:
    """With the refusal, if it was one."""
    (result,) = tried(Trial(state), state, text)
    assert list(result.wrong) == wrong
    assert result.why is None or not isinstance(result.why, Explanation)


def test_the_refusal_of_a_failed_change_is_shown(state: Organization) -> None:
    """It is the witness that the author of the test did not reckon with."""
    (result,) = tried(Trial(state), state, change(ASSIGN % "approver", "accepted"))
    assert isinstance(result.why, BreaksSod)
    assert result.expected == "accepted"
    assert result.actual.startswith("refused: separation of duty")


def test_an_index_that_answers_otherwise_fails_every_test(
    state: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the reference is as expected: production would not be."""
    monkeypatch.setattr(policy_tests, "answered", lambda *_: NoRole())
    (result,) = tried(Trial(state), state, "cases:\n" + case("alice", "read", expect="Allow"))
    assert result.wrong == ("the index answers Deny, NoRole: report it, the program is at fault",)


def test_a_certificate_that_the_checker_refuses_fails_the_test(
    state: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An allow that cannot be shown is none."""
    evaluate = metering.evaluate

    def forged(*given: object, **more: object) -> Allow:
        decision = evaluate(*given, **more)  # type: ignore[arg-type]  # handed on as given
        assert isinstance(decision, Allow)
        return Allow(replace(decision.certificate, revision=99))

    monkeypatch.setattr(metering, "evaluate", forged)
    (result,) = tried(Trial(state), state, "cases:\n" + case("alice", "read", expect="Allow"))
    assert result.wrong == (
        "the checker refuses the certificate: report it, the program is at fault",
    )


def test_coverage_tells_what_was_exercised_and_what_only_touched(state: Organization) -> None:
    """Exercised is what a passing test is allowed something by; roles along the whole path.

    A role by which nobody could do anything is not counted.
    """
    trial = Trial(state)
    tried(
        trial,
        state,
        "cases:\n"
        + case("alice", "read", expect="Allow")
        + case("alice", "write", expect="Deny", context="{hour: 3}")
        + case("carol", "submit", active_roles="[submitter]", expect="Deny")
        + case("dan", "read", expect="Deny"),
    )
    claims, roles = trial.claims(), trial.roles()
    assert claims.exercised == {"read"}
    assert claims.touched == {"read", "write", "submit"}
    assert claims.all - claims.touched == {"export", "approve", "all", "give", "two", "yearly"}
    assert roles.exercised == {"reader", "writer"}
    assert roles.touched == {"reader", "writer", "submitter"}
    assert roles.all == {"reader", "writer", "submitter", "approver", "heir", "admin"}
    assert round(claims.percent, 1) == 11.1


def test_of_nothing_all_is_covered() -> None:
    """A policy without claims asks for none."""
    document = accepted("apiVersion: grantproof/v1\nkind: Organization\nid: bare\n")
    trial = Trial(document.empty())
    assert (trial.claims().percent, trial.roles().percent) == (100.0, 100.0)


def test_only_tests_whose_name_is_wanted_are_run(state: Organization) -> None:
    """Cells and changes too."""
    body = (
        "tables:\n"
        "  - {name: left out, resources: [docs], rows: [{principals: [bob], actions: [read],"
        " expect: Deny}]}\n"
    )
    assert tried(Trial(state), state, body + change(ASSIGN % "idle", "accepted")) != []
    assert tried(Trial(state), state, body) == []
    other = change(ASSIGN % "idle", "accepted").replace("name: change", "name: left out 2")
    assert tried(Trial(state), state, body + other) == []


def test_the_year_and_the_hour_of_a_test_are_those_of_its_zone() -> None:
    """Unless it says otherwise; new year comes to Tokyo before it comes to UTC."""
    eve = ContextEntry.model_validate({"instant": "2025-12-31T20:15:00Z"})
    there = context_of(eve, "Asia/Tokyo")
    assert (there.year, there.hour, there.weekday) == (2026, 5, 3)
    here = context_of(eve.model_copy(update={"year": 1999, "weekday": 0}), "UTC")
    assert (here.year, here.hour, here.weekday) == (1999, 20, 0)
