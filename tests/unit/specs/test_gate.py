"""The gate cannot be fooled: whatever is no pass, whoever says it, fails it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from specs.gate import running, worker
from specs.gate.files import write_json, write_junit
from specs.gate.main import main, passed, with_ratchets
from specs.gate.ratchets import TABLE, read_pins
from specs.gate.report import (
    PASSES,
    End,
    Message,
    Row,
    Stage,
    Stopped,
    concluded,
    read,
    written,
)
from specs.gate.running import run_stage, run_stages
from specs.gate.table import failures

GOOD = Row("P-SOUND", "evaluate", "proved", 0.1)
PINS = {"proofs": {"obligations": 3}}
PROVED = Stage("proofs", (GOOD,), {"obligations": 3})


def stage_of(*messages: Message) -> Stage:
    """What becomes of a stage that says these things."""
    return concluded("proofs", messages, seconds=1.0)


def ran(tmp_path: Path, code: str, limit: float = 60) -> Stage:
    """What becomes of a stage whose process runs the code."""
    command = (sys.executable, "-c", code)
    return run_stage("proofs", command, log=tmp_path / "proofs.log", limit=limit)


def told(stage: Stage) -> str:
    """The one line on the one failure."""
    (line,) = failures([stage])
    return line


def test_a_stage_that_proves_and_ends_passes() -> None:
    """The checks below would be worthless if nothing passed."""
    assert stage_of(GOOD, End({"obligations": 3})).passed
    assert with_ratchets(PROVED, PINS).passed


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([End({})], "it reported nothing"),
        ([], "its report has no end"),
        ([GOOD], "its report has no end"),
        ([GOOD, End({}), End({})], "its report has two ends"),
        ([Stopped("`z3` not found: install it")], "`z3` not found: install it"),
        ([GOOD, Stopped("`z3` not found"), End({})], "`z3` not found"),
    ],
)
def test_a_stage_that_does_not_say_what_it_must_fails(
    messages: Sequence[Message], why: str
) -> None:
    """Nothing, half a report or a missing tool is no pass."""
    stage = stage_of(*messages)
    assert not stage.passed
    assert why in told(stage)


@pytest.mark.parametrize(
    "verdict",
    [
        "refuted",
        "undetermined",
        "unknown",
        "vacuous",
        "unsupported",
        "survives",
        "skipped",
        "failed",
        "not confirmed",
        "time-out",
        "a word that nobody knows",
        "",
        "Proved",
    ],
)
def test_any_other_verdict_fails(verdict: str) -> None:
    """Only the words that are known for passes are passes."""
    assert verdict not in PASSES
    stage = stage_of(GOOD, Row("P-DAG", "edge", verdict), End({}))
    assert not stage.passed
    assert told(stage).startswith("FAILED proofs P-DAG edge: ")


def test_a_process_that_says_nothing_fails(tmp_path: Path) -> None:
    """A stage whose process ends well without a report has not run."""
    assert told(ran(tmp_path, "pass")).endswith("its report has no end")


def test_what_a_process_prints_is_no_report(tmp_path: Path) -> None:
    """Lines that are not of the report are not read as one."""
    stage = ran(tmp_path, "print('proved'); print('{}'); print('{\"type\": \"row\"}')")
    assert (stage.rows, stage.passed) == ((), False)


def test_a_line_of_a_report_that_cannot_be_read_fails(tmp_path: Path) -> None:
    """It may have been a row that is no pass: a good report around it does not outweigh it."""
    lost = Row("P-DAG", "edge", "refuted", float("nan"))
    report = written(GOOD) + written(lost) + written(End({}))
    assert read(written(lost)) is None
    stage = ran(tmp_path, f"print({report.decode()!r}, end='')")
    assert stage.rows == (GOOD,)
    assert told(stage).endswith("1 lines of its report cannot be read")


def test_a_process_that_crashes_after_its_report_fails(tmp_path: Path) -> None:
    """A good report does not outweigh a bad end, and the last words are shown."""
    report = written(GOOD) + written(End({}))
    stage = ran(tmp_path, f"print({report.decode()!r}, end=''); raise SystemExit('on fire')")
    assert stage.rows == (GOOD,)
    assert told(stage).endswith("its process ended with status 1: on fire")


def test_a_process_that_hangs_is_ended_and_fails(tmp_path: Path) -> None:
    """The time limit is a failure that names itself."""
    stage = ran(tmp_path, "import time; time.sleep(60)", limit=0.2)
    assert "time-out: no end within 0 s" in told(stage)
    assert stage.seconds < 30


def test_what_a_stage_and_its_own_processes_compute_is_counted(tmp_path: Path) -> None:
    """A second of a process that the stage waits for is a second, and sleep is none."""
    busy = "import time; e = time.process_time() + 0.3\nwhile time.process_time() < e: pass"
    code = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {busy!r}])"
    assert ran(tmp_path, code).processor_seconds >= 0.3
    asleep = ran(tmp_path, "import time; time.sleep(0.4)")
    # However long the processor takes to start it, this part of the time it is not at work.
    assert asleep.processor_seconds <= asleep.seconds - 0.4


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["specs", "properties", "tla", "smoke"], [1, 1, 2, 2]),
        (["tla", "smoke"], [2, 2]),
        (["faults"], [2]),
    ],
)
def test_no_processor_is_idle_while_a_stage_waits_or_is_the_last(
    names: list[str], expected: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the first two of many may use both, beside another stage, too."""
    given: dict[str, int] = {}

    def silent(name: str, jobs: int) -> tuple[str, ...]:
        given[name] = jobs
        return (sys.executable, "-c", "")

    monkeypatch.setattr(running, "worker", silent)
    stages = run_stages(
        names,
        tmp_path,
        held=lambda stage: stage,
        on_row=lambda _name, _row: None,
        on_stage=lambda _stage: None,
    )
    assert [stage.name for stage in stages] == names
    assert [given[name] for name in names] == expected


@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        ({"obligations": 2}, "obligations: 2, pinned 3"),
        ({}, "obligations: not reported, pinned 3"),
        ({"theorems": 9}, "obligations: not reported, pinned 3"),
    ],
)
def test_a_drop_below_a_ratchet_fails(numbers: dict[str, int], why: str) -> None:
    """Fewer than there were, or a number that nobody reports, fails a stage that holds."""
    stage = with_ratchets(Stage("proofs", (GOOD,), numbers), PINS)
    assert not stage.passed
    assert why in told(stage)


@pytest.mark.parametrize(("found", "passes"), [(100, True), (111, True), (112, False)])
def test_a_pin_that_was_left_behind_fails(found: int, passes: bool) -> None:
    """As much as a pin lags could be lost unnoticed; a tenth may be, so that tests can come."""
    stage = with_ratchets(Stage("proofs", (GOOD,), {"tests": found}), {"proofs": {"tests": 100}})
    assert stage.passed is passes
    assert passes or "tests: 112, pinned only 100: raise the pin" in told(stage)


def test_what_varies_from_run_to_run_outgrows_no_pin() -> None:
    """More races were lost than ever must be: that is no reason to lose more the next time."""
    stage = with_ratchets(
        Stage("proofs", (GOOD,), {"lost_races": 900}), {"proofs": {"lost_races": 100}}
    )
    assert stage.passed


def test_a_stage_of_which_nothing_is_pinned_fails() -> None:
    """A new stage brings its pins along."""
    assert "pins nothing of this stage" in told(with_ratchets(PROVED, {}))


def test_every_stage_is_pinned() -> None:
    """The table and the stages are of one mind."""
    pins = read_pins(TABLE.read_text(encoding="utf-8"))
    assert set(pins) == {*worker.STAGES, "mutants"}
    assert all(least > 0 for pinned in pins.values() for least in pinned.values())


def test_a_bad_table_of_pins_is_refused() -> None:
    """What is no number does not pin."""
    with pytest.raises(ValueError, match=r"ratchets\.toml"):
        read_pins("[proofs]\nobligations = 'many'\n")


@pytest.mark.parametrize(
    ("names", "stages"),
    [([], []), (["proofs"], []), (["proofs", "tla"], [PROVED]), (["tla"], [PROVED])],
)
def test_a_stage_that_is_skipped_fails(names: list[str], stages: list[Stage]) -> None:
    """Every stage that was asked for has run, and there was one."""
    assert not passed(names, stages)
    assert passed(["proofs"], [PROVED])


def test_an_unknown_stage_is_a_usage_error(tmp_path: Path) -> None:
    """A stage that does not exist cannot be run, so nothing is."""
    with pytest.raises(SystemExit) as stopped:
        main(["--only", "proofs", "--reports", str(tmp_path)])
    assert stopped.value.code == 2


def test_a_failing_gate_says_so_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code, the last line, the reports, the page and JUnit agree; what was old is gone."""
    bad = Stage("smoke", (Row("smoke", "alice reads", "failed", 0.1, ("is Deny",)),), {"checks": 5})
    (tmp_path / "report.json").write_text('{"passed": true}', encoding="utf-8")
    (tmp_path / "report.html").write_text("an old page", encoding="utf-8")
    monkeypatch.setattr("specs.gate.running.run_stage", lambda *_, **__: bad)
    assert main(["--only", "smoke", "--reports", str(tmp_path)]) == 1
    *_, failed, last = capsys.readouterr().out.splitlines()
    assert failed == "FAILED smoke smoke alice reads: is Deny"
    assert last.startswith("verify FAILED: 1 stages, 2 verdicts, ")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["passed"] is False
    shown = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>FAILED" in shown
    assert "<pre>is Deny</pre>" in shown
    suite = ET.parse(tmp_path / "junit.xml").getroot()[0]  # noqa: S314  # written a moment ago
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")


def test_a_stage_without_rows_has_a_case_of_its_own(tmp_path: Path) -> None:
    """A stage that could not start is a failure in JUnit and in JSON too."""
    stage = stage_of(Stopped("`java` not found: \x1b[31minstall it"))
    write_junit([stage], tmp_path / "junit.xml")
    write_json([stage], tmp_path / "report.json", seconds=1.0, passed=False)
    suite = ET.parse(tmp_path / "junit.xml").getroot()[0]  # noqa: S314  # written a moment ago
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert suite[0][0].text == "`java` not found: ?[31minstall it"
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["stages"][0]["passed"] is False


def test_a_message_is_read_as_it_was_written() -> None:
    """Rows, ends and stops survive the way from one process to another."""
    messages: list[Message] = [GOOD, End({"a": 1}), Stopped("b")]
    assert [read(written(message)) for message in messages] == messages
