"""`grantproof consume` and `grantproof usage`: exit codes, what is printed, what is counted."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.unit.cli.conftest import Ended, Run

EXPORT = ("alice", "export", "docs")
CLAIM = ("claim", "create", "quota", "viewer", "export", "docs")


@pytest.fixture
def metered(run: Run) -> Run:
    """A database in which viewers may export the documents twice a month."""
    assert run(*CLAIM, "--max-usage", "2/month").code == 0
    return run


def counts(run: Run, *filters: str) -> list[tuple[str, str, int]]:
    """What is counted: principal, span and count."""
    shown = run("usage", "show", *filters, "--json").json
    return [(one["principal"], one["span"], one["used"]) for one in shown]


def test_consume_counts_until_the_limit(metered: Run, revision: Callable[[], int]) -> None:
    """Exit code 0 twice, then 1 with the reason; no revision moves."""
    before = revision()
    ended = [metered("consume", *EXPORT) for _ in range(3)]
    assert [one.code for one in ended] == [0, 0, 1]
    assert "usage < 2/month: holds, saw 1" in ended[1].out
    assert ended[2].out.startswith("Deny: usage 2 is not below 2 a month")
    assert counts(metered) == [("alice", "month", 2)]
    assert revision() == before


def test_consume_for_programs_is_the_document_of_the_route(metered: Run) -> None:
    """With the evidence, and the age of the meter, which is none."""
    answer = metered("consume", *EXPORT, "--json").json
    assert (answer["decision"], answer["meter_age"]) == ("Allow", 0)
    assert answer["certificate"]["observations"][0]["saw"] == [0]


def test_evaluate_and_explain_read_the_meter(metered: Run) -> None:
    """They say what was used and count nothing, unless a count is supplied."""
    for _ in range(2):
        metered("consume", *EXPORT)
    assert metered("evaluate", *EXPORT).out.startswith("Deny: usage 2 is not below 2")
    assert "usage < 2/month: fails, saw 2" in metered("explain", *EXPORT).out
    assert metered("evaluate", *EXPORT, "--usage", "1", "--rate", "0").code == 0
    assert counts(metered) == [("alice", "month", 2)]


def test_usage_is_a_table(metered: Run) -> None:
    """One line a counter, with its limit and its window in UTC."""
    metered("consume", *EXPORT)
    header, line = metered("usage", "show").out.splitlines()
    assert header.split() == ["PRINCIPAL", "CLAIM", "SPAN", "USED", "LIMIT", "FROM", "UNTIL"]
    first = datetime.now(UTC).strftime("%Y-%m-01T00:00:00Z")
    assert line.split()[:6] == ["alice", "quota", "month", "1", "2", first]


def test_a_total_has_no_end(run: Run) -> None:
    """Nothing stands for what never comes, and a lost limit."""
    run(*CLAIM, "--max-usage", "2")
    run("consume", *EXPORT)
    assert run("usage", "show").out.splitlines()[1].split()[-1] == "-"


def test_usage_can_be_filtered_and_reset(metered: Run) -> None:
    """By principal and by claim; what was reset can be used again."""
    for who in ("alice", "alice", "bob"):
        metered("consume", who, "export", "docs")
    assert counts(metered, "--principal", "bob", "--claim", "quota") == [("bob", "month", 1)]
    assert metered("usage", "reset", "--principal", "alice").out == "reset 1 counters (acme)\n"
    assert counts(metered) == [("alice", "month", 0), ("bob", "month", 1)]
    assert metered("consume", *EXPORT).code == 0
    ended = metered("usage", "reset", "--claim", "quota", "--json")
    assert ended.json == {"outcome": "reset", "organization": "acme", "counters": 2}


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (("reset",), 2, "name whose usage to reset with --principal, --claim or both"),
        (("reset", "--principal", "dave"), 1, "principal `dave` does not exist"),
        (("show", "--claim", "absent"), 1, "claim `absent` does not exist"),
        (("show", "--org", "other"), 1, "organization `other` does not exist"),
    ],
)
def test_a_wrong_name_is_one_line(
    metered: Run, arguments: tuple[str, ...], code: int, line: str
) -> None:
    """And nothing is reset."""
    metered("consume", *EXPORT)
    ended: Ended = metered("usage", *arguments)
    assert (ended.code, ended.line) == (code, line)
    assert counts(metered) == [("alice", "month", 1)]


def test_consume_in_an_absent_organization_is_denied(metered: Run) -> None:
    """As `evaluate` says it."""
    ended = metered("consume", *EXPORT, "--org", "other")
    assert (ended.code, ended.out.splitlines()[0]) == (1, "Deny: unknown organization")


def test_consume_takes_no_counts(metered: Run) -> None:
    """What the meter counts is no option."""
    ended = metered("consume", *EXPORT, "--usage", "0")
    assert ended.code == 2
    assert "--usage" in ended.line
