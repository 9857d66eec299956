"""`grantproof evaluate` and `explain`: the answer, the evidence, and the exit code."""

import re

import pytest

from tests.unit.cli.conftest import Run

ACME_CHECKS = [
    ("alice read docs --hour 10 --region us-east-1 --usage 0", 0, "Allow"),
    ("alice read docs --hour 22", 1, "Deny: time window 9-17 does not hold at hour 22 on"),
    ("alice read reports --hour 22", 1, "Deny: time window 9-17 does not hold at hour 22 on"),
    ("bob write docs --hour 12 --region us-east-1", 0, "Allow"),
    ("bob write docs --hour 12 --region eu-west-1", 1, "Deny: region `eu-west-1` is not one of"),
    ("bob write docs --hour 12", 1, "Deny: region missing is not one of us-east-1"),
    ("bob read docs --hour 10", 0, "Allow"),
    ("carol read docs", 1, "Deny: no matching claim"),
    ("dan read docs", 1, "Deny: unknown principal"),
    ("alice read nothing", 1, "Deny: unknown resource"),
    ("alice read docs --org nope", 1, "Deny: unknown organization"),
    ("alice read docs --hour 10 --kind document", 0, "Allow"),
    ("alice read docs --hour 10 --kind role", 1, "Deny: unknown resource"),
    ("bob write docs --region us-east-1 --active-role viewer", 1, "Deny: no matching claim"),
]


@pytest.mark.parametrize(("question", "code", "answer"), ACME_CHECKS)
def test_the_first_line_and_the_exit_code_are_the_answer(
    question: str, code: int, answer: str, *, run: Run
) -> None:
    """Allow is 0, Deny is 1, and neither is an error."""
    ended = run("evaluate", *question.split())
    assert (ended.code, ended.err) == (code, "")
    assert ended.out.startswith(answer)


@pytest.mark.parametrize(("question", "code", "answer"), ACME_CHECKS)
def test_programs_are_told_the_same(question: str, code: int, answer: str, *, run: Run) -> None:
    """The fields are those of `POST /evaluate`."""
    told = run("evaluate", *question.split(), "--json")
    decision, _, reason = answer.partition(": ")
    document = told.json
    assert (told.code, document["decision"]) == (code, decision)
    assert (document["reason"] or "").startswith(reason)
    assert (document["certificate"] is None) == (decision == "Deny")
    assert (document["reason_code"] is None) == (decision == "Allow")


def test_an_allow_shows_its_evidence(run: Run) -> None:
    """How the role is held, the claim, and what each constraint saw."""
    lines = run(
        "evaluate", "bob", "read", "docs", "--hour", "10", "--weekday", "wed"
    ).out.splitlines()
    assert lines[:4] == [
        "Allow",
        "  principal bob -> role editor -> viewer",
        "  claim viewer-read-docs: read docs (hours 9-17)",
        "  hours 9-17: holds, saw hour 10 on Wed",
    ]
    assert lines[4].startswith("revision 1, decided at 2")


def test_a_certificate_names_groups_and_the_resources_above(run: Run) -> None:
    """A role through a group, and a claim on everything inside of a resource."""
    for line in (
        "resource create docs/plan --kind document --parent docs",
        "group create staff",
        "group add staff carol",
        "assign staff viewer --group --until 3000000000",
        "claim create inside viewer move docs/**",
    ):
        assert run(*line.split()).code == 0
    told = run("evaluate", "carol", "move", "docs/plan").out
    assert "principal carol -> group staff -> role viewer" in told
    assert "resource docs/plan < docs" in told
    assert "valid until 2065-01-24T05:20:00Z" in told
    certificate = run("evaluate", "carol", "move", "docs/plan", "--json").json["certificate"]
    assert certificate["groups"] == ["staff"]
    assert certificate["resources"] == ["docs/plan", "docs"]
    assert certificate["until"] == 3_000_000_000
    assert certificate["claim"]["id"] == "inside"


def test_attributes_are_typed_and_compared(run: Run) -> None:
    """A number is not a string, and what is missing never grants."""
    run("claim", "create", "pay", "viewer", "pay", "docs", "--where", "context.amount lt 100")
    asked = ("evaluate", "alice", "pay", "docs")
    assert run(*asked, "--attribute", "amount=99").code == 0
    assert run(*asked, "--attribute", "amount=100").code == 1
    assert run(*asked, "--attribute", 'amount="99"').code == 1
    assert run(*asked).code == 1


def test_a_position_is_told_by_how_far_away_it_is(run: Run) -> None:
    """Within the radius is an allow, farther or from nowhere a deny; where it was is not told."""
    run("claim", "create", "near", "viewer", "open", "docs", "--within", "1km@48.8566,2.3522")
    asked = ("alice", "open", "docs", "--position")
    inside = run("evaluate", *asked, "48.8655,2.3522")
    assert inside.code == 0
    assert "  within 1000m of 48.8566,2.3522: holds, saw a position 990 m away" in inside.out
    outside = run("evaluate", *asked, "-33.8688,151.2093")
    assert (outside.code, "-33.8" in outside.out) == (1, False)
    assert outside.out.startswith("Deny: position 16960521 m away is not within 1000 m of 48.8566")
    nowhere = run("evaluate", "alice", "open", "docs")
    assert nowhere.out.startswith("Deny: position missing is not within 1000 m of 48.8566,2.3522")
    assert "fails, saw nothing" in run("explain", "alice", "open", "docs").out
    assert run("consume", *asked, "48.8655,2.3522").code == 0


@pytest.mark.parametrize(
    ("option", "line"),
    [
        (["--hour", "24"], "`hour` must be between 0 and 23"),
        (["--hour", "-1"], "`hour` must be between 0 and 23"),
        (["--weekday", "7"], "`weekday` must be between 0 (Monday) and 6 (Sunday)"),
        (["--weekday", "someday"], "--weekday `someday` must be one of"),
        (["--usage", "-1"], "`usage` must be at least 0"),
        (["--rate", "-1"], "`rate` must be at least 0"),
        (["--position", "48.8566"], "--position `48.8566` must be latitude and longitude"),
        (["--position", "-91,0"], "--position `-91,0` has a latitude that must be between"),
        (["--region", "a b"], "`region` must match"),
        (["--attribute", "x"], "--attribute `x` must be written as name=value"),
        (["--active-role", ""], "`role_id` must not be empty"),
        (["--kind", "a b"], "`kind` must match"),
    ],
)
@pytest.mark.parametrize("command", ["evaluate", "explain"])
@pytest.mark.parametrize("organization", ["acme", "nope"])
def test_a_bad_question_is_one_line(
    option: list[str], line: str, *, command: str, organization: str, run: Run
) -> None:
    """Code 2, in whatever organization it is asked; never an answer."""
    ended = run(command, "alice", "read", "docs", *option, "--org", organization)
    assert (ended.code, ended.line[: len(line)]) == (2, line)


def test_an_explanation_weighs_every_claim(run: Run) -> None:
    """The claims of roles that are not active are among them: what is missing shows."""
    told = run("explain", "alice", "write", "docs", "--region", "us-east-1").out.splitlines()
    assert told[:-1] == [
        "Deny: no matching claim",
        "effective roles  viewer",
        "active roles     viewer",
        "claim editor-write-docs of role editor (not active): write docs",
        '  region us-east-1: holds, saw "us-east-1"',
    ]


def test_an_explanation_of_an_allow_shows_the_evidence(run: Run) -> None:
    """It begins like the answer, and ends with code 0 whatever the answer."""
    told = run("explain", "bob", "read", "docs", "--hour", "10")
    assert told.out.startswith("Allow\n  principal bob -> role editor -> viewer\n")
    assert (told.code, run("explain", "carol", "read", "docs").code) == (0, 0)


def test_an_explanation_says_when_no_claim_speaks(run: Run) -> None:
    """Nothing to weigh is said, too."""
    assert "no claim speaks of this" in run("explain", "alice", "fly", "docs").out


def test_an_explanation_for_programs_has_the_fields_of_http(run: Run) -> None:
    """Decision, roles, claims with what they saw, and the place in time."""
    told = run("explain", "alice", "read", "docs", "--hour", "22", "--weekday", "0", "--json").json
    assert (told["decision"], told["reason_code"]) == ("Deny", "constraint_failed")
    assert (told["effective_roles"], told["active_roles"]) == (["viewer"], ["viewer"])
    assert told["claims"][0]["observations"] == [
        {
            "constraint": {
                "type": "time_window",
                "start": 9,
                "end": 17,
                "weekdays": [0, 1, 2, 3, 4, 5, 6],
            },
            "saw": [22, 0],
            "held": False,
        }
    ]
    assert (told["revision"], told["certificate"]) == (1, None)


def test_an_absent_organization_cannot_be_explained(run: Run) -> None:
    """There is nothing to weigh."""
    ended = run("explain", "alice", "read", "docs", "--org", "nope")
    assert (ended.code, ended.line) == (1, "organization `nope` does not exist")


def test_what_would_be_decided_is_told_beside_what_is(run: Run) -> None:
    """Both sides with their evidence; the exit code is that of the supposed one."""
    change = '{"type": "AssignRole", "principal": "alice", "role": "editor"}'
    ended = run(*["what-if", "alice", "write", "docs", "--region", "us-east-1", "--change"], change)
    assert ended.code == 0
    now, then, evidence, *_, last = ended.out.splitlines()
    assert re.fullmatch(r"now, \S+: Deny: no matching claim", now) is not None, now
    assert re.fullmatch(r"then, \S+: Allow", then) is not None, then
    assert evidence == "  principal alice -> role editor"
    assert last == "revision 1, nothing was changed or counted"
    assert run("evaluate", "alice", "write", "docs", "--region", "us-east-1").code == 1
    at_night = ["what-if", "alice", "read", "docs", "--at", "2030-01-01T22:00:00Z"]
    ended = run(*at_night)
    assert (ended.code, "then, 2030-01-01T22:00:00Z: Deny: " in ended.out) == (1, True)
    assert run(*at_night, "--hour", "10").code == 0


@pytest.mark.parametrize(
    ("change", "code", "line"),
    [
        ('{"type": "Burn"}', 2, "--change:1:10: type: must be one of"),
        ('{"type": "AssignRole", "principal": "alice"}', 2, "role: is required"),
        ('{"type": "AssignRole", "principal": "carol", "role": "submitter"}', 1, "separation"),
        ("absent.yaml", 2, "`absent.yaml` cannot be read"),
    ],
)
def test_a_change_that_cannot_be_supposed_is_one_line(
    run: Run, change: str, code: int, line: str
) -> None:
    """What is not understood, and what would be refused."""
    ended = run("what-if", "alice", "write", "docs", "--change", change)
    assert (ended.code, line in ended.line) == (code, True), ended
