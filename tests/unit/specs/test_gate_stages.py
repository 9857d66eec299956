"""The stages of the gate read what their tools say, and do not take silence for consent."""

import subprocess
import sys
from pathlib import Path
from typing import Literal, cast

import pytest

from specs.crosshair.run import (
    CONFIRMED,
    MODULES,
    Contract,
    Expected,
    Verdict,
    contracts_of,
    run_all,
    verdicts,
)
from specs.gate.report import Row, Stopped, read
from specs.gate.running import ROOT
from specs.gate.stages import crosshair, properties, smoke, tla
from specs.tlc.check import Result

TEXT = (
    'def window() -> bool:\n    """P-WINDOW: it holds.\n\n    post: _\n    """\n    return True\n'
)
WINDOW = Contract("P-WINDOW", "window", 1, 6)
SAID = "specs/crosshair/contracts.py:4: info: "


def only(output: str, expected: Expected = "confirmed") -> list[Verdict]:
    """What is made of CrossHair's output on the one contract."""
    return verdicts([WINDOW], output, expected=expected, seconds=1.0)


def test_contracts_are_found_with_their_property() -> None:
    """The first word of a docstring is the property."""
    assert contracts_of(TEXT) == [WINDOW]
    for module in MODULES:
        found = contracts_of((ROOT / f"specs/crosshair/{module}.py").read_text(encoding="utf-8"))
        assert all(contract.property_id.startswith("P-") for contract in found)


def test_a_confirmed_contract_passes() -> None:
    """Confirmed over all paths, and nothing else said."""
    (verdict,) = only(SAID + CONFIRMED)
    assert verdict.as_expected


@pytest.mark.parametrize(
    "output",
    [
        "",
        SAID + "Not confirmed.",
        SAID + "Unable to meet precondition.",
        "specs/crosshair/contracts.py:4: error: false when calling window() (which returns False)",
        f"{SAID}{CONFIRMED}\n{SAID}Not confirmed.",
        f"{SAID}{CONFIRMED}\nspecs/crosshair/contracts.py:99: info: {CONFIRMED}",
        f"{SAID}{CONFIRMED}\nTraceback (most recent call last):",
        "no end within 120 s",
    ],
)
def test_anything_but_confirmed_fails(output: str) -> None:
    """Not confirmed, nothing, too much, or words that belong to no contract."""
    assert not all(verdict.as_expected for verdict in only(output))
    assert not all(crosshair.row(verdict).passed for verdict in only(output))


def test_a_twin_that_is_confirmed_fails() -> None:
    """What must be refuted and is not shows that CrossHair looks at nothing."""
    assert not crosshair.row(only(SAID + CONFIRMED, "refuted")[0]).passed
    assert not crosshair.row(only("", "refuted")[0]).passed
    refuted = "x.py:4: error: false when calling window() (which returns False)"
    assert crosshair.row(only(refuted, "refuted")[0]).passed


def test_a_missing_crosshair_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error with the name of the package, never a stage without contracts."""
    monkeypatch.setattr("specs.crosshair.run.find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError) as missing:
        run_all()
    assert missing.value.name == "crosshair-tool"


def test_a_missing_tool_is_reported_with_its_remedy(tmp_path: Path) -> None:
    """The process of a stage says which command installs what it lacks."""
    (tmp_path / "crosshair.py").write_text("raise ModuleNotFoundError(name='z3')", "utf-8")
    code = (
        "import sys, specs.gate.stages as stages; "
        f"stages.__path__.insert(0, {str(tmp_path)!r}); "
        "from specs.gate.worker import main; sys.exit(main(['crosshair']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    said = read(done.stdout)
    assert isinstance(said, Stopped)
    assert said.problem.startswith("`z3` not found: `python -m pip install ")


def test_a_stray_print_does_not_reach_the_report(tmp_path: Path) -> None:
    """What a stage prints is not its report, even when it looks like one."""
    (tmp_path / "smoke.py").write_text(
        'def run(emit, jobs):\n    print(\'{"type":"end","numbers":{}}\')\n    return {}\n',
        "utf-8",
    )
    code = (
        "import sys, specs.gate.stages as stages; "
        f"stages.__path__.insert(0, {str(tmp_path)!r}); "
        "from specs.gate.worker import main; sys.exit(main(['smoke']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert len(done.stdout.splitlines()) == 1


def test_a_skipped_test_fails_the_stage() -> None:
    """Skipped, failed in its teardown or not collected: each is told, none as a pass."""
    rows: list[Row] = []
    reporter = properties.Reporter(rows.append)
    for outcome, when in (("skipped", "setup"), ("failed", "teardown"), ("passed", "call")):
        reporter.pytest_runtest_logreport(
            pytest.TestReport(
                nodeid="tests/properties/test_x.py::test_x",
                location=("tests/properties/test_x.py", 1, "test_x"),
                keywords={},
                outcome=outcome,  # type: ignore[arg-type]  # a literal, from a table
                longrepr=None,
                when=when,  # type: ignore[arg-type]  # a literal, from a table
            )
        )
    assert [row.verdict for row in rows] == ["skipped", "failed"]
    assert not any(row.passed for row in rows)


def test_the_ids_of_a_test_are_read_off_its_docstring() -> None:
    """Several ids before the colon, none in what follows."""
    assert properties.property_ids("P-SOUND, P-COMPLETE: like P-DSD.") == "P-SOUND, P-COMPLETE"
    assert properties.property_ids("Something else.") == ""


@pytest.mark.parametrize("verdict", ["holds", "unknown", "failed"])
def test_a_model_that_is_not_refuted_as_it_must_be_fails(verdict: str) -> None:
    """A broken model that holds is a failure, though `holds` is a pass of others."""
    found = cast(Literal["holds", "unknown", "failed"], verdict)
    result = Result("broken/X", "P-CAS", found, "refuted", 1.0, "why", 7)
    assert not tla.row(result).passed


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "no answer: connection refused"),
        (200, '{"decision": "Deny", "reason": null}'),
        (200, '{"reason": null}'),
        (500, '{"decision": "Allow", "reason": null}'),
        (200, "Allow"),
    ],
)
def test_a_wrong_answer_fails_the_smoke_test(status: int, text: str) -> None:
    """Another status, another decision, a missing member, or no JSON at all."""
    right = '{"decision": "Allow", "reason": null, "revision": 1}'
    assert smoke.against(smoke.CHECKS[0], 200, right) == ()
    assert smoke.against(smoke.CHECKS[0], status, text) != ()


def test_a_refusal_without_its_words_fails_the_smoke_test() -> None:
    """A conflict of another kind is not the one that is expected."""
    assert smoke.against(smoke.CHECKS[4], 409, '{"error": "exists already"}') != ()
    assert smoke.against(smoke.CHECKS[4], 409, '{"error": "separation of duty: x"}') == ()
