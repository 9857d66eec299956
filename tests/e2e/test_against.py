"""`python -m specs.against` on repositories of its own: what it proves, what it shows, what not."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT, DIFFER, UNDETERMINED = 0, 1, 3
WINDOW = "return window.start <= hour < window.end and weekday in window.weekdays"
ROUND = "                seen.add(parent)\n                work.add(parent)\n"


def against(folder: Path, module: str, old: str, new: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the report of a comparison with a revision that has another passage."""
    core = folder / "src/grantproof/core"
    shutil.copytree(ROOT / "src/grantproof/core", core)
    shutil.copy(ROOT / "src/grantproof/__init__.py", core.parent)
    text = (core / module).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (core / module).write_text(text.replace(old, new), encoding="utf-8")
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "--quiet"), ("add", "."), (*identity, "commit", "-qm", "one")):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    report = folder / "against.json"
    command = [sys.executable, "-m", "specs.against", "HEAD", "--repository", str(folder)]
    done = subprocess.run(
        [*command, "--examples", "5", "--json", str(report)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert report.exists(), done.stderr
    return done.returncode, json.loads(report.read_text(encoding="utf-8"))


def answers(report: dict[str, Any]) -> dict[str, str]:
    """What became of each definition, by its name."""
    return {
        row["name"].removeprefix("grantproof.core."): row["answer"] for row in report["compared"]
    }


@pytest.mark.parametrize(
    "same",
    [
        "return weekday in window.weekdays and window.start <= hour < window.end",
        """inside = not (hour < window.start or hour >= window.end)
    return inside and weekday in window.weekdays""",
    ],
)
def test_the_same_in_other_words_is_equivalent(tmp_path: Path, same: str) -> None:
    """A swap and De Morgan with a local are proved, and so is everything that reads them."""
    code, report = against(tmp_path, "constraints.py", WINDOW, same)
    assert (code, report["verdict"]) == (EQUIVALENT, "equivalent")
    assert answers(report)["constraints.window_holds"] == "proved"
    assert set(report["entries"].values()) == {"same text"}
    assert report["requests"] > 0


def test_a_local_of_another_name_is_the_same_text(tmp_path: Path) -> None:
    """Nothing is asked and nothing is proved where nothing is said otherwise."""
    renamed = "seen = set(start)\n    todo = set(seen)\n    while todo:\n        node = todo.pop()"
    now = "seen = set(start)\n    work = set(seen)\n    while work:\n        node = work.pop()"
    text = (ROOT / "src/grantproof/core/hierarchy.py").read_text(encoding="utf-8")
    rest = text.partition(now)[2].partition("    return frozenset(seen)")[0]
    code, report = against(
        tmp_path, "hierarchy.py", now + rest, renamed + rest.replace("work.add", "todo.add")
    )
    assert code == EQUIVALENT
    assert set(answers(report).values()) == {"same text"}


def test_one_comparison_differs_and_a_request_shows_it(tmp_path: Path) -> None:
    """The function is shown on values, the decision on a request that both really answer."""
    wrong = WINDOW.replace("start <=", "start <")
    code, report = against(tmp_path, "constraints.py", WINDOW, wrong)
    assert (code, report["verdict"]) == (DIFFER, "differ")
    assert answers(report)["constraints.window_holds"] == "differs"
    story = "\n".join(report["difference"])
    assert "old:   Deny: ConstraintFailed" in story
    assert "new:   Allow" in story
    assert "asked: may ann write docs/plan at instant 700, hour 9?" in story


@pytest.mark.parametrize(
    ("passage", "broken"),
    [
        (ROUND, "                seen.add(parent)\n"),
        ("            if parent not in seen:\n" + ROUND, "            pass\n"),
    ],
)
def test_a_broken_loop_is_never_equivalent(tmp_path: Path, passage: str, broken: str) -> None:
    """What its rounds leave out is seen in a decision."""
    code, report = against(tmp_path, "hierarchy.py", passage, broken)
    assert code == DIFFER
    assert any(line.startswith("old:   Deny") for line in report["difference"])


def test_a_loop_that_no_invariant_describes_is_undetermined(tmp_path: Path) -> None:
    """The same closure by recursion in rounds: nothing is found, and nothing is claimed."""
    rounds = "            if parent not in seen:\n" + ROUND
    other = (
        "            fresh = {parent} - seen\n            seen.update(fresh)\n"
        "            work.update(fresh)\n"
    )
    code, report = against(tmp_path, "hierarchy.py", rounds, other)
    assert (code, report["verdict"]) == (UNDETERMINED, "undetermined")
    assert answers(report)["hierarchy.closure"] == "undetermined"
    assert report["difference"] == []


def test_another_certificate_is_a_difference(tmp_path: Path) -> None:
    """The same decision by another claim is shown too: what is told is part of the answer."""
    code, report = against(
        tmp_path, "policy.py", "min(granting, key=claim_order)", "max(granting, key=claim_order)"
    )
    assert code == DIFFER
    assert sum("Allow, by the claim" in line for line in report["difference"]) > 1
