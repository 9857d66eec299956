"""Proof status: what a report says of just what runs; of anything else nothing is claimed."""

import re
from pathlib import Path
from typing import Any

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.verification import PASSES, STAGES
from grantproof.api.console import proofs
from grantproof.service.promises import PROMISES
from specs.gate import report as gate
from tests.api.console.browsing import words
from tests.api.service import OPERATORS, serving
from tests.unit.adapters.test_verification import report, written

PAGE = Path(__file__).parents[3] / "docs/properties.md"
ROWS = [
    {"property_id": "P-SOUND", "name": "one", "verdict": "proved", "seconds": 1.5},
    {"property_id": "P-SOUND, P-CERT", "name": "two", "verdict": "passed", "seconds": 0.5},
]
FAILED = {"property_id": "P-CERT", "name": "<b>three", "verdict": "refuted", "seconds": 61.0}


def shown(folder: Path, told: object) -> tuple[str, str]:
    """The page of a service that was given the report: as it stands, and as it is read."""
    settings: dict[str, Any] = {}
    if told is not None:
        settings["verification_report"] = written(folder, told)
    with serving(MemoryStore(), OPERATORS, **settings) as api:
        page = api.get("/console/proofs")
        assert page.status_code == 200
        return page.text, words(page)


def with_rows(rows: list[dict[str, Any]], **first: Any) -> list[dict[str, Any]]:
    """The stages of a whole gate, the first of which looked at these."""
    stages = report()["stages"]
    return [{**stages[0], "rows": rows, **first}, *stages[1:]]


def row(text: str, name: str) -> str:
    """What stands in the row of a property."""
    found = re.search(rf'<tr id="{name}">(.*?)</tr>', text, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]*>", " ", found[1]).split())


def test_a_report_about_what_runs_is_shown_whole(tmp_path: Path) -> None:
    """Each property with its verdict, by what it is held, how often and in what time; the tools."""
    origin = {**report()["origin"], "revision": "a" * 40, "versions": {"Z3": "5.4.0"}}
    text, read = shown(tmp_path, report(stages=with_rows(ROWS), origin=origin))
    assert "Verified. The whole gate passed" in read
    assert row(text, "P-SOUND") == f"P-SOUND {PROMISES['P-SOUND']} holds specs 2 2.0 s"
    assert row(text, "P-CERT") == f"P-CERT {PROMISES['P-CERT']} holds specs 1 0.5 s"
    assert row(text, "P-DAG").endswith("not in this report")
    assert "Z3 5.4.0" in read
    assert "made 2026-01-02T03:04:05+00:00" in read
    for name in STAGES:
        assert f'<th scope="row">{name}</th>' in text
        assert proofs.STAGES[name] in read


def test_what_failed_is_named(tmp_path: Path) -> None:
    """The property, and each thing that is no pass."""
    stages = with_rows([*ROWS, FAILED], passed=False, problem="broken <i>")
    text, read = shown(tmp_path, report(passed=False, stages=stages))
    assert "Not verified. The gate ran on exactly this source" in read
    assert row(text, "P-CERT").startswith(f"P-CERT {PROMISES['P-CERT']} failed 1 failed specs:")
    assert row(text, "P-CERT").endswith("specs 2 62 s")
    assert "specs: <b>three: refuted" in read
    assert "<b>three" not in text
    assert row(text, "P-SOUND").endswith("holds specs 2 2.0 s")


def test_of_other_source_nothing_is_claimed(tmp_path: Path) -> None:
    """Not even what it says that passed."""
    origin = {"begun": "2026-01-02", "core": "0" * 64}
    text, read = shown(tmp_path, report(stages=with_rows(ROWS), origin=origin))
    assert "Not verified. The report is about other source" in read
    assert "0" * 12 in read
    assert "holds" not in row(text, "P-SOUND")
    assert "passed" not in read.replace("is passed", "")


def test_a_part_of_the_gate_is_told_as_a_part(tmp_path: Path) -> None:
    """What passed is shown, and that it is not all."""
    text, read = shown(tmp_path, report(stages=with_rows(ROWS)[:1]))
    assert "Not verified. What was run passed, but it was not the whole gate" in read
    assert "holds" in row(text, "P-SOUND")


def test_without_a_report_it_says_where_one_comes_from(tmp_path: Path) -> None:
    """And claims nothing; the overview says as much."""
    text, read = shown(tmp_path, None)
    assert "No report. Nobody has given this service" in read
    assert "make verify" in read
    assert row(text, "P-SOUND") == f"P-SOUND {PROMISES['P-SOUND']}"
    with serving(MemoryStore(), OPERATORS) as api:
        assert "verified is not known" in words(api.get("/console/orgs/acme"))


def test_the_overview_says_that_it_is_verified(tmp_path: Path) -> None:
    """With a report that counts."""
    path = written(tmp_path, report())
    with serving(MemoryStore(), OPERATORS, verification_report=path) as api:
        assert "The rules that run here are verified" in words(api.get("/console/orgs/acme"))


def test_every_property_has_its_promise_in_plain_words() -> None:
    """Those of the documentation, in its order, and no others."""
    documented = re.findall(r"^\| (P-[A-Z-]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert list(PROMISES) == documented
    assert set(proofs.STAGES) == set(STAGES)


def test_a_pass_is_what_the_gate_calls_a_pass() -> None:
    """No verdict counts here that does not count there."""
    assert PASSES == gate.PASSES


@pytest.mark.parametrize("verdict", ["refuted", "timeout", "unknown", "unsupported", "", "PROVED"])
def test_any_other_verdict_is_a_failure(tmp_path: Path, verdict: str) -> None:
    """Known or not."""
    rows = [{**ROWS[0], "verdict": verdict}]
    text, _ = shown(tmp_path, report(stages=with_rows(rows)))
    assert "holds" not in row(text, "P-SOUND")
