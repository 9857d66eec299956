"""The form of policy tests: what it takes, what it refuses and where, and its JSON Schema."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from grantproof.core.commands.language import AssignRole, CreateClaim, DeleteRole
from grantproof.core.constraints import GeoFence
from grantproof.core.identifiers import PrincipalId, Region, RoleId
from grantproof.core.model import ALWAYS
from grantproof.core.organization import Organization
from grantproof.policyfile.policy_test_document import ContextEntry, write_test_schema
from grantproof.policyfile.policy_test_text import Suite, misnamed, questions, read_tests
from grantproof.policyfile.policy_text import read_source
from grantproof.policyfile.source import Source
from tests.policies import founded

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "schema" / "policy-test.schema.json"
HEAD = "apiVersion: grantproof/v1\nkind: PolicyTest\n"
CASE = HEAD + (
    "context: {instant: 7}\n"
    "cases:\n"
    "  - name: one\n"
    "    request: {principal: alice, action: read, resource: docs}\n"
    "    expect: Deny\n"
)
TABLE = HEAD + (
    "context: {instant: 7}\n"
    "tables:\n"
    "  - name: many\n"
    "    resources: [docs, docs/plan]\n"
    "    rows:\n"
    "      - {principals: [alice, bob], actions: [read], expect: [Allow, Deny]}\n"
    "      - {principals: [alice], actions: [write], expect: Deny}\n"
)
CHANGE = HEAD + (
    "changes:\n"
    "  - name: change\n"
    "    change: {type: AssignRole, principal: alice, role: reader}\n"
    "    expect: refused\n"
    "    witness: {kind: already_exists}\n"
)
POLICY = (
    "apiVersion: grantproof/v1\nkind: Organization\nid: acme\n"
    "kinds: [{id: document}]\nprincipals: [{id: alice}, {id: bob}]\ngroups: [{id: staff}]\n"
    "roles: [{id: reader}]\n"
    "resources: [{id: docs, kind: document}, {id: docs/plan, kind: document, parent: docs}]\n"
    "claims: [{id: c1, role: reader, action: read, resource: docs}]\n"
)


@pytest.fixture(scope="module")
def state() -> Organization:
    """The policy that names are looked up in."""
    return founded(POLICY)


def told(text: str) -> list[str]:
    """The problems of a text, a line each."""
    read = read_tests(text)
    return [] if isinstance(read, Suite) else [problem.in_file("t") for problem in read]


def suite_of(text: str) -> Suite:
    """The tests of a text without problems."""
    read = read_tests(text)
    assert isinstance(read, Suite), read
    return read


def test_a_table_is_a_test_for_each_cell() -> None:
    """Each with a name of its own, and the place of its decision."""
    tests = suite_of(TABLE)
    asked = list(questions(tests.document))
    assert [(one.name, one.expected.verdict) for one in asked] == [
        ("many: alice read docs", "Allow"),
        ("many: alice read docs/plan", "Deny"),
        ("many: bob read docs", "Allow"),
        ("many: bob read docs/plan", "Deny"),
        ("many: alice write docs", "Deny"),
        ("many: alice write docs/plan", "Deny"),
    ]
    places = tests.source.locate(one.path for one in asked)
    assert places[asked[1].path] == (8, 69)
    assert places[asked[5].path][0] == 9


def test_the_context_of_a_test_is_that_of_its_file_but_for_what_it_says() -> None:
    """Null takes away; attributes are taken whole."""
    shared = ContextEntry.model_validate(
        {"instant": 7, "region": "eu", "usage": 3, "attributes": {"a": 1, "b": 2}}
    )
    own = ContextEntry.model_validate({"hour": 9, "region": None, "attributes": {"c": True}})
    both = own.over(shared)
    assert (both.instant, both.hour, both.region, both.usage) == (7, 9, None, 3)
    assert both.attributes is not None
    assert dict(both.attributes.items()) == {"c": True}


def test_commands_may_leave_out_what_has_a_default() -> None:
    """One, or several as a list; what they hold is written as in the policy."""
    (one,) = suite_of(CHANGE).document.changes
    assert one.change == (AssignRole(PrincipalId("alice"), RoleId("reader"), ALWAYS),)
    several = CHANGE.replace(
        "{type: AssignRole, principal: alice, role: reader}",
        "[{type: DeleteRole, role: reader}, {type: CreateClaim, claim: {id: c, role: r, action: x,"
        " resource: d, constraints: [{type: geo_fence, regions: [eu]}]}}]",
    )
    (both,) = suite_of(several).document.changes
    first, second = both.change
    assert first == DeleteRole(RoleId("reader"), cascade=False)
    assert isinstance(second, CreateClaim)
    assert second.claim.constraints == (GeoFence(frozenset({Region("eu")})),)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (HEAD, ["t:1:1: must hold a test: `cases`, `tables` or `changes`"]),
        (HEAD.replace("PolicyTest", "Test"), ["t:2:7: kind: must be `PolicyTest`"]),
        (CASE + "    expected: Allow\n", ["t:8:15: cases[0].expected: is not a known field"]),
        (
            CASE.replace("principal: alice, ", ""),
            ["t:6:5: cases[0].request.principal: is required"],
        ),
        (
            CASE.replace("Deny", "deny"),
            ["t:7:13: cases[0].expect: must be `Allow` or `Deny`"],
        ),
        (
            CASE.replace("context: {instant: 7}\n", ""),
            [
                (
                    "t:4:5: cases[0].context.instant: is required, here or in the `context` of the"
                    " file: no test asks the clock"
                )
            ],
        ),
        (
            CASE + "    context: {hour: 24}\n",
            ["t:8:21: cases[0].context.hour: must be between 0 and 23"],
        ),
        (
            CASE + "    context: {position: here}\n",
            [
                (
                    "t:8:25: cases[0].context.position: must be latitude and longitude in"
                    " degrees with"
                    " at most 6 decimals, such as `48.8566,2.3522`"
                )
            ],
        ),
        (
            CASE + "    reason: because\n",
            [
                (
                    "t:8:13: cases[0].reason: must be one of `unknown_principal`, `suspended`,"
                    " `unknown_resource`, `session_clash`, `no_role`, `no_matching_claim`,"
                    " `constraint_failed`"
                )
            ],
        ),
        (
            CASE + "    role_path: [reader]\n    group_path: []\n",
            [
                "t:8:5: cases[0].role_path: says nothing of `Deny`",
                "t:9:5: cases[0].group_path: says nothing of `Deny`",
            ],
        ),
        (
            CASE.replace("Deny", "Allow") + "    reason: suspended\n",
            ["t:8:13: cases[0].reason: says nothing of `Allow`"],
        ),
        (
            CASE + "    reason: suspended\n    claim: c1\n",
            ["t:9:12: cases[0].claim: says nothing of `suspended`"],
        ),
        (
            CASE + "    failed: [time_windows, {type: rate_limit, per_minute: 0}]\n",
            [
                (
                    "t:8:14: cases[0].failed[0]: must be a constraint, or its type: one of"
                    " `time_window`, `geo_fence`, `geo_radius`, `max_usage`, `rate_limit`,"
                    " `attribute`"
                ),
                "t:8:59: cases[0].failed[1].per_minute: must be greater than 0 and fit in 64 bits",
            ],
        ),
        (CASE + "    failed: []\n", ["t:8:5: cases[0].failed: must not be empty"]),
        (CASE + "    failed: time_window\n", ["t:8:13: cases[0].failed: must be a list"]),
        (
            CASE.replace("name: one", "name: ''"),
            ["t:5:11: cases[0].name: must be one line of 1 to 200 characters"],
        ),
        (
            CASE
            + "changes:\n"
            + CHANGE.split("changes:\n")[1].replace("name: change", "name: one"),
            ["t:9:11: changes[0].name: must not be given twice: see cases[0]"],
        ),
        (
            TABLE.replace("[Allow, Deny]", "[Allow]"),
            ["t:8:53: tables[0].rows[0].expect: must have 2 members, one for each resource"],
        ),
        (
            TABLE.replace("[Allow, Deny]", "[Allow, Maybe]"),
            ["t:8:69: tables[0].rows[0].expect[1]: must be `Allow` or `Deny`"],
        ),
        (
            TABLE.replace("expect: Deny", "expect: 1"),
            [
                (
                    "t:9:57: tables[0].rows[1].expect: must be `Allow`, `Deny`, or a list"
                    " with one of"
                    " them for each resource"
                )
            ],
        ),
        (
            TABLE.replace("[write]", "[write, read]"),
            ["t:9:9: tables[0].rows[1]: must not say again what `alice` may `read`: see rows[0]"],
        ),
        (
            TABLE.replace("[write]", "[write, write]"),
            ["t:9:9: tables[0].rows[1]: must not say again what `alice` may `write`: see rows[1]"],
        ),
        (
            TABLE.replace("[docs, docs/plan]", "[docs, docs]"),
            ["t:6:5: tables[0].resources: must not hold a resource twice"],
        ),
        (
            TABLE.replace("[write]", "[]"),
            ["t:9:31: tables[0].rows[1].actions: must not be empty"],
        ),
        (
            CHANGE.replace("    witness: {kind: already_exists}\n", ""),
            ["t:4:5: changes[0].witness: is required"],
        ),
        (
            CHANGE.replace("refused", "accepted"),
            ["t:7:5: changes[0].witness: says nothing of `accepted`"],
        ),
        (
            CHANGE.replace("already_exists", "exists"),
            [
                (
                    "t:7:21: changes[0].witness.kind: must be one of `already_exists`,"
                    " `already_so`,"
                    " `breaks_sod`, `last_administrator`, `missing`, `named_by_guardrail`,"
                    " `named_by_sod_set`, `not_permitted`, `over_limit`, `still_referenced`,"
                    " `would_cycle`"
                )
            ],
        ),
        (
            CHANGE.replace("already_exists}", "already_exists, noon: role}"),
            [
                (
                    "t:7:43: changes[0].witness.noon: is no field of such a witness: it has `noun`,"
                    " `ids`, `position`"
                )
            ],
        ),
        (
            CHANGE.replace("{kind: already_exists}", "{}"),
            ["t:7:5: changes[0].witness.kind: is required"],
        ),
        (
            CHANGE.replace("{kind: already_exists}", "no"),
            ["t:7:14: changes[0].witness: must be an object"],
        ),
        (
            CHANGE.replace(", role: reader", ", roel: reader"),
            [
                "t:5:5: changes[0].change.role: is required",
                "t:5:56: changes[0].change.roel: is not a known field",
            ],
        ),
        (
            CHANGE.replace("{type: AssignRole, principal: alice, role: reader}", "[{role: r}]"),
            ["t:5:14: changes[0].change[0].type: is required"],
        ),
        (
            CHANGE.replace("{type: AssignRole, principal: alice, role: reader}", "[]"),
            ["t:5:5: changes[0].change: must not be empty"],
        ),
        (
            CHANGE.replace("name: change", "name: change\n    by: alice"),
            [
                (
                    "t:4:5: changes[0].context.instant: is required, here or in the"
                    " `context` of the"
                    " file: no test asks the clock"
                )
            ],
        ),
        (CASE + "cases: []\n", ["t:8:1: cases: must not be given twice"]),
    ],
)
def test_every_problem_is_told_with_its_place(text: str, lines: list[str]) -> None:
    """In our words; nothing is guessed."""
    assert told(text) == lines


def test_a_file_holds_only_so_many_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells of tables are counted."""
    assert told(TABLE) == []
    monkeypatch.setattr("grantproof.policyfile.policy_test_document.TESTS_PER_FILE_MAX", 6)
    assert told(TABLE) == []
    monkeypatch.setattr("grantproof.policyfile.policy_test_document.TESTS_PER_FILE_MAX", 5)
    assert told(TABLE) == ["t:1:1: must hold at most 5 tests: make several files of it"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (CASE, []),
        (TABLE, []),
        (CHANGE, []),
        (
            CASE + "organization: other\n",
            ["t:8:15: organization: is not the organization of the policy, which is `acme`"],
        ),
        (
            CASE.replace("alice", "alise"),
            [
                (
                    "t:6:26: cases[0].request.principal: must name a principal of the"
                    " policy: `alise`"
                    " is none"
                )
            ],
        ),
        (CASE.replace("alice", "alise") + "    reason: unknown_principal\n", []),
        (
            CASE.replace("resource: docs", "resource: doc"),
            [
                (
                    "t:6:57: cases[0].request.resource: must name a resource of the"
                    " policy, or have a"
                    " `resource_kind`: `doc` is none"
                )
            ],
        ),
        (CASE.replace("resource: docs", "resource: doc") + "    reason: unknown_resource\n", []),
        (CASE.replace("resource: docs", "resource: doc, resource_kind: document"), []),
        (CASE.replace("resource: docs", "resource: 'role:reader', resource_kind: role"), []),
        (
            CASE.replace("resource: docs", "resource: doc, resource_kind: paper"),
            [
                (
                    "t:6:77: cases[0].request.resource_kind: must name a kind of the"
                    " policy: `paper`"
                    " is none"
                )
            ],
        ),
        (
            CASE.replace("docs}", "docs, active_roles: [raeder]}"),
            [
                (
                    "t:6:78: cases[0].request.active_roles[0]: must name a role of the"
                    " policy: `raeder`"
                    " is none"
                )
            ],
        ),
        (
            CASE.replace("Deny", "Allow")
            + "    claim: c9\n    role_path: [r]\n    group_path: [g]\n",
            [
                "t:8:12: cases[0].claim: must name a claim of the policy: `c9` is none",
                "t:9:17: cases[0].role_path[0]: must name a role of the policy: `r` is none",
                "t:10:18: cases[0].group_path[0]: must name a group of the policy: `g` is none",
            ],
        ),
        (
            TABLE.replace("bob", "rob").replace("[docs, ", "[dogs, "),
            [
                (
                    "t:6:17: tables[0].resources[0]: must name a resource of the policy, or have a"
                    " `resource_kind`: `dogs` is none"
                ),
                (
                    "t:8:30: tables[0].rows[0].principals[1]: must name a principal of the policy:"
                    " `rob` is none"
                ),
            ],
        ),
        (
            CHANGE.replace("name: change", "name: change\n    by: al\n    context: {instant: 7}"),
            ["t:5:9: changes[0].by: must name a principal of the policy: `al` is none"],
        ),
    ],
)
def test_every_name_is_one_of_the_policy(text: str, lines: list[str], state: Organization) -> None:
    """A slip would make a test that shows nothing; what is expected to be unknown may be."""
    assert [problem.in_file("t") for problem in misnamed(suite_of(text), state)] == lines


def test_the_schema_that_is_shipped_is_that_of_the_form() -> None:
    """Write it anew with `grantproof policy schema test > docs/schema/policy-test.schema.json`."""
    assert SCHEMA.read_text("utf-8") == write_test_schema()


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (CASE, True),
        (TABLE, True),
        (CHANGE, True),
        (CASE + "    failed: [time_window, {type: geo_fence, regions: [eu]}]\n", True),
        (CASE + "    failed: [night]\n", False),
        (
            CASE + "    context: {instant: '2026-01-30T09:30:00+01:00', attributes: {a: [b]}}\n",
            True,
        ),
        (CASE + "    context: {minute: 3}\n", False),
        (CASE.replace("Deny", "No"), False),
        (TABLE.replace("expect: Deny", "expect: No"), False),
        (CHANGE.replace("kind: already_exists", "sort: already_exists"), False),
        (CHANGE.replace("AssignRole", "GiveRole"), False),
        (CHANGE.replace("{type: A", "[{type: A").replace("reader}", "reader}]"), True),
    ],
)
def test_the_schema_says_what_the_form_takes(text: str, fits: bool) -> None:
    """An editor that checks by it agrees with the program."""
    source = read_source(text)
    assert isinstance(source, Source)
    shipped: Any = json.loads(SCHEMA.read_text("utf-8"))
    assert jsonschema_rs.Draft202012Validator(shipped).is_valid(source.data) is fits
    assert (told(text) == []) is fits
