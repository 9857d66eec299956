"""A report as SARIF and as Markdown: what readers demand of the first, bounds of the second."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import pytest

from grantproof.service.sarif import sarif
from grantproof.service.verification import Base, Files, Terms, verify
from grantproof.service.verification_markdown import LENGTH_MAX, code, markdown
from grantproof.service.verification_report import (
    MEANINGS,
    Finding,
    Level,
    Outcome,
    Report,
    Rule,
    Spot,
    Stage,
)
from tests.unit.service.sarif_schema import SARIF

VALIDATOR = jsonschema_rs.Draft7Validator(SARIF, validate_formats=True)


def unlike(log: Any) -> Iterator[str]:
    """What of a log is not as SARIF 2.1.0 has it: by the schema, and by what its text says more."""
    yield from (error.message for error in VALIDATOR.iter_errors(log))
    for run in log.get("runs", ()):
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        if len(set(rules)) < len(rules):
            yield "the ids of rules are unique"
        for result in run["results"]:
            if rules[result["ruleIndex"]] != result["ruleId"]:
                yield "the index is that of the rule"


def report(*found: Finding) -> Report:
    """A report with one stage."""
    return Report("shop", (Stage("check", "looked at", found),))


def finding(level: Level, message: str = "so it is", spot: Spot | None = None) -> Finding:
    """Something that was found."""
    return Finding(Rule.POLICY, level, "it", message, spot)


def test_sarif_is_as_it_is_published() -> None:
    """Of every level and every kind of place; what is as it should be is no result."""
    spots = (Spot("a b/c#d.yaml", (3, 5)), Spot("/abs/x:y.yaml"), None)
    log = sarif(
        report(*(finding(level, spot=spot) for level in Level for spot in spots)), version="1"
    )
    assert list(unlike(log)) == []
    results = log["runs"][0]["results"]
    assert [one["level"] for one in results] == [
        *["error"] * 9,
        *["warning"] * 3,
        *["note"] * 3,
    ]
    places = [one["locations"][0]["physicalLocation"] for one in results[:3]]
    uris = [one["artifactLocation"]["uri"] for one in places]
    # What has no place of its own is given the first there is.
    assert uris == ["a%20b/c%23d.yaml", "file:///abs/x%3Ay.yaml", "a%20b/c%23d.yaml"]
    assert unquote(uris[0]) == "a b/c#d.yaml"
    assert places[0]["region"] == {"startLine": 3, "startColumn": 5}


IN_A_RESULT = ("runs", 0, "results", 0)
PLACE = (*IN_A_RESULT, "locations", 0, "physicalLocation")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*IN_A_RESULT, "level"), "undetermined"),
        ((*IN_A_RESULT, "ruleIndex"), 0),
        ((*IN_A_RESULT, "message", "text"), ""),
        ((*IN_A_RESULT, "message"), {}),
        ((*IN_A_RESULT, "severity"), "high"),
        ((*PLACE, "region", "startLine"), 0),
        ((*PLACE, "region", "startColumn"), "1"),
        ((*PLACE, "artifactLocation", "uri"), "a b"),
        ((*PLACE, "artifactLocation"), {}),
        (("runs", 0, "tool", "driver", "name"), ""),
        (("runs", 0, "tool"), {"driver": {"rules": []}}),
        (("runs", 0, "columnKind"), "bytes"),
        (("version",), "2.0.0"),
    ],
)
def test_another_form_than_sarif_is_noticed(path: tuple[str | int, ...], value: object) -> None:
    """A line of zero, a level of our own, a space in a reference, the wrong rule, and so on."""
    log: Any = sarif(report(finding(Level.ERROR, spot=Spot("a"))), version="1")
    if path[:3] == ("runs", 0, "tool") and len(path) == 3:
        log["runs"][0]["results"] = []
    part = log
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert len(list(unlike(log))) == 1, path


def test_the_worst_outcome_counts() -> None:
    """What cannot be read, then what is wrong, then what is not known; never what was not run."""
    levels = [Level.UNREADABLE, Level.ERROR, Level.UNDETERMINED, Level.WARNING, Level.OK]
    found = [finding(level) for level in levels]
    outcomes = [report(*found[i:]).outcome for i in range(len(found))]
    assert outcomes == ["unreadable", "failed", "undetermined", "passed", "passed"]
    skipped = Stage("diff", "no base", run=False)
    assert (skipped.outcome, Report(None, (skipped,)).outcome) == ("not run", "passed")


def test_every_rule_has_a_meaning() -> None:
    """Which is what code scanning shows of it."""
    assert set(MEANINGS) == set(Rule)


@pytest.mark.parametrize("level", [Level.ERROR, Level.WARNING, Level.NOTE])
def test_a_comment_is_bounded_and_counts_the_rest(level: Level) -> None:
    """However much there is to say, and however long an entry is."""
    many = [
        finding(level, f"number {i} " + "x" * 80, Spot("a.yaml", (i + 1, 1))) for i in range(1500)
    ]
    text = markdown(report(*many))
    shown = sum(line.startswith("- `a.yaml:") for line in text.splitlines())
    assert len(text) <= LENGTH_MAX
    assert shown > 100
    assert f"And {1500 - shown:,} more." in text
    assert len(markdown(report(*[finding(level, "y" * 10_000)] * 100))) <= LENGTH_MAX


def test_what_matters_most_comes_first() -> None:
    """What cannot be read, what is wrong, what is not known; then warnings, though many."""
    warnings = [finding(Level.WARNING, f"w{i}" + "x" * 80) for i in range(1500)]
    worst = [finding(Level.UNDETERMINED), finding(Level.ERROR), finding(Level.UNREADABLE)]
    lines = markdown(report(*warnings, *worst)).splitlines()
    assert lines[0] == "### Policy `shop`: cannot be read"
    told = [line for line in lines if line.startswith("- ")]
    assert [line.split()[2] for line in told[:4]] == [
        "unreadable:",
        "error:",
        "undetermined:",
        "warning:",
    ]


@pytest.mark.parametrize("text", ["a ``` b", "`", "<b>@who</b>\n# x", "a | b", ""])
def test_what_somebody_wrote_is_no_markup(text: str) -> None:
    """It stands in code on one line, with a fence that it does not hold."""
    shown = code(text)
    fence = shown[: len(shown) - len(shown.lstrip("`"))]
    assert "\n" not in shown
    assert text == "" or fence not in text
    cell = markdown(Report("shop", (Stage("check", text),))).splitlines()[4]
    assert cell.replace("\\|", "").count("|") == 4


def test_gains_and_losses_are_tables_with_their_counts() -> None:
    """Also where more changes than are shown, or nothing does."""
    head = "apiVersion: grantproof/v1\nkind: Organization\nid: shop\nkinds: [{id: d}]\n"
    entities = (
        "principals: [{id: ann}]\nroles: [{id: r}]\nassignments: [{principal: ann, role: r}]\n"
    )
    things = "resources: [" + ", ".join(f"{{id: p{i}, kind: d}}" for i in range(110)) + "]\n"
    grants = "".join(
        f"  - {{id: c{i}, role: r, action: a{i}, resource: p{i}}}\n" for i in range(110)
    )
    whole = f"{head}{entities}{things}claims:\n{grants}"
    found = verify(Files({"a": whole}, {}), Terms(), base=Base("before"), now=0)
    text = markdown(found)
    assert "#### What this grants, compared with `before`: " in text
    assert text.count("\n| ann | ") == 100
    assert (found.outcome, "\nAnd 10 more.\n" in text) == (Outcome.PASSED, True)
    again = verify(Files({"a": whole}, {}), Terms(), base=None, now=0)
    assert "What this" not in markdown(again)
