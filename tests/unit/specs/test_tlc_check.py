"""TLC is held to the table: whatever differs from it fails, and the table covers every model."""

import hashlib
import sys
from pathlib import Path

import msgspec
import pytest

from specs.tlc import check, jar
from specs.tlc.check import as_expected, judge, line, main, run_all, strays
from specs.tlc.expectations import (
    MODELS,
    TABLE,
    Expectation,
    checks_of,
    configurations,
    expected_verdict,
    read_expectations,
)
from specs.tlc.jar import JAR_VARIABLE, MissingTool, find_tools
from specs.tlc.once import Run

CLEAN = Run(
    0,
    "Model checking completed. No error has been found.\n"
    "9 states generated, 7 distinct states found, 0 states left on queue.\n",
    1.0,
)
VIOLATED = Run(
    12,
    "Error: Invariant StaticDutyHolds is violated.\n"
    "State 1: <Initial predicate>\n/\\ revision = 0\n\n"
    "9 states generated, 7 distinct states found, 2 states left on queue.\n",
    1.0,
)
STARVED = Run(13, "Error: Temporal properties were violated.\n7 distinct states found", 1.0)

CHECKS = ("StaticDutyHolds",)
HOLDS = Expectation("MCModel", "MCModel", "P-CAS", CHECKS, 0, 7)
REFUTED = Expectation("broken/Fault", "Broken", "P-CAS", CHECKS, 12, 7)
LIVE = Expectation("broken/Loop", "Broken", "P-LIVE", ("EventuallyDecided",), 13, 7)


def verdict(expectation: Expectation, done: Run, lists: tuple[str, ...] | None = None) -> str:
    """The verdict on a run whose configuration lists what is expected, or something else."""
    return judge(expectation, done, lists=expectation.checks if lists is None else lists).verdict


@pytest.mark.parametrize(("row", "done"), [(HOLDS, CLEAN), (REFUTED, VIOLATED), (LIVE, STARVED)])
def test_what_is_expected_passes(row: Expectation, done: Run) -> None:
    """A model that holds and faults that are refuted in their property are as expected."""
    assert as_expected(judge(row, done, lists=row.checks))


TAMPERED = [
    (msgspec.structs.replace(HOLDS, states=8), CLEAN),
    (msgspec.structs.replace(HOLDS, checks=("RolesAcyclic",)), CLEAN),
    (msgspec.structs.replace(REFUTED, states=6), VIOLATED),
    (msgspec.structs.replace(REFUTED, exit_code=13), VIOLATED),
    (msgspec.structs.replace(REFUTED, checks=("RolesAcyclic",)), VIOLATED),
    (msgspec.structs.replace(LIVE, exit_code=12), STARVED),
]


@pytest.mark.parametrize(("row", "done"), TAMPERED)
def test_a_tampered_expectation_fails(row: Expectation, done: Run) -> None:
    """Whichever is changed, the count, the exit code or the property: the row is not met."""
    lists = LIVE.checks if done is STARVED else CHECKS
    result = judge(row, done, lists=lists)
    assert (result.verdict, as_expected(result)) == ("failed", False)
    assert "expected" in result.detail


def test_a_configuration_that_lost_a_check_fails() -> None:
    """Holding with fewer properties than the table names is not holding."""
    assert verdict(HOLDS, CLEAN, lists=()) == "failed"


def test_a_fault_that_nothing_catches_is_not_as_expected() -> None:
    """TLC finding no error where there must be one reads `holds`, and fails."""
    result = judge(REFUTED, CLEAN, lists=CHECKS)
    assert (result.verdict, as_expected(result)) == ("holds", False)


def test_a_model_that_does_not_hold_shows_its_counterexample() -> None:
    """The result of a refuted model carries the story."""
    result = judge(HOLDS, VIOLATED, lists=CHECKS)
    assert (result.verdict, as_expected(result)) == ("refuted", False)
    assert result.trace == ("1. at first revision = 0",)


CRASHES = [
    (Run(None, "", 120.0), "unknown"),
    (Run(150, "Error: Parsing or semantic analysis failed.", 1.0), "failed"),
    (Run(151, "Error: TLC found an error in the configuration file", 1.0), "failed"),
    (Run(1, "java.lang.OutOfMemoryError", 1.0), "failed"),
    (Run(0, "", 1.0), "failed"),
    (Run(137, "Error: Invariant StaticDutyHolds is violated.", 1.0), "failed"),
]


@pytest.mark.parametrize(("done", "expected"), CRASHES)
def test_a_crash_or_a_time_out_is_never_a_verdict(done: Run, expected: str) -> None:
    """A time-out is unknown; whatever else is no verdict of TLC has failed, also for a fault."""
    assert verdict(REFUTED, done) == expected


def test_another_jar_is_not_held_to_the_states_before_a_counterexample() -> None:
    """Where a newer TLC stops searching is its own business; what it visits in full is not."""
    fewer, other = Run(12, VIOLATED.text.replace("7", "5"), 1.0), CLEAN.text.replace("7", "5")
    assert as_expected(judge(REFUTED, fewer, lists=CHECKS, pinned=False))
    assert not as_expected(judge(HOLDS, Run(0, other, 1.0), lists=CHECKS, pinned=False))


def test_the_table_has_a_row_for_every_configuration() -> None:
    """No model lies about unchecked, and none that is checked is missing."""
    names = [row.name for row in read_expectations(TABLE.read_text(encoding="utf-8"))]
    assert sorted(names) == list(configurations())


@pytest.mark.parametrize("name", configurations())
def test_a_configuration_checks_what_the_table_says(name: str) -> None:
    """The table's names are those of the configuration, and the folder says what is expected."""
    rows = {row.name: row for row in read_expectations(TABLE.read_text(encoding="utf-8"))}
    text = (MODELS / f"{name}.cfg").read_text(encoding="utf-8")
    assert checks_of(text) == rows[name].checks
    assert expected_verdict(rows[name]) == (
        "holds" if name.startswith(("MC", "deep/")) else "refuted"
    )


WITHOUT_A_TWIN = {
    # Says which values there are, not what is owed.
    "TypeOK",
    # Its twin may break it between two transactions, so the configuration asks CountedInTheEnd.
    "EveryUseIsCounted",
    # NoBump breaks it, and is asked what comes of it: NoLostUpdate.
    "RevisionCountsCommits",
    # No fault here lets a replica know what nobody has committed.
    "NeverAhead",
}


def test_whatever_a_model_promises_some_fault_breaks() -> None:
    """A claim that nothing can refute might say nothing: each has a broken twin, but for four."""
    owed = {check for row in all_rows() if row.exit_code == 0 for check in row.checks}
    broken = {check for row in all_rows() if row.name.startswith("broken/") for check in row.checks}
    assert owed - broken == WITHOUT_A_TWIN


def test_a_configuration_without_a_row_is_found() -> None:
    """A new configuration fails the stage until it has its row."""
    assert strays([row for row in all_rows() if row.name != "broken/NoBump"]) == ["broken/NoBump"]


def test_the_gate_leaves_out_only_the_deep_models() -> None:
    """Whatever is not in the folder `deep` is run when nothing is named, and by name all can be."""
    rows = all_rows()
    run = {row.name for row in check.chosen(rows, ())}
    deep = {name for name in configurations() if name.startswith("deep/")}
    assert {row.name for row in rows} - run == deep != set()
    assert [row.name for row in check.chosen(rows, ["deep/Freshness"])] == ["deep/Freshness"]


def all_rows() -> tuple[Expectation, ...]:
    """The rows of the real table."""
    return read_expectations(TABLE.read_text(encoding="utf-8"))


ROW = 'module = "M"\nproperty = "P"\nchecks = ["A"]\nexit_code = 12\nstates = 1\n'
BAD_ROWS = [
    ROW.replace("12", "11"),
    ROW.replace('["A"]', "[]"),
    ROW.replace('["A"]', '["A", "B"]'),
    ROW.replace("1\n", '"1"\n'),
    ROW + "note = 1\n",
    ROW.replace('property = "P"\n', ""),
    "states = ",
]


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_bad_row_is_refused(row: str) -> None:
    """Other exit codes, no check or two to refute, wrong types, unknown and missing keys."""
    with pytest.raises(ValueError):  # noqa: PT011 - each has a message of its own
        read_expectations(f"[Model]\n{row}")


def test_comments_and_other_sections_are_no_checks() -> None:
    """Only what stands under INVARIANT(S) and PROPERTY, PROPERTIES counts."""
    text = (
        "\\* INVARIANT None\nSYMMETRY S\nINVARIANTS A\n    B \\* C\nPROPERTY D\nCONSTANTS n = 1\n"
    )
    assert checks_of(text) == ("A", "B", "D")


def test_an_unknown_name_is_one_failed_result(capsys: pytest.CaptureFixture[str]) -> None:
    """Asking for what is not there fails, and says so."""
    assert main(["broken/NoSuchFault"]) == 1
    assert "`broken/NoSuchFault` is not in expectations.toml" in capsys.readouterr().out


def test_a_missing_tool_names_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without its packages the stage fails with a remedy; it is never skipped."""
    monkeypatch.delenv(JAR_VARIABLE, raising=False)
    monkeypatch.setattr(jar, "find_spec", lambda _: None)
    (result,) = run_all()
    assert (result.verdict, as_expected(result)) == ("failed", False)
    assert "`python -m pip install --require-hashes -r requirements.lock`" in result.detail


def test_a_jar_that_is_not_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The jar of the wheel must have the pinned hash."""
    (tmp_path / "tla2tools.jar").write_bytes(b"something else")
    monkeypatch.setattr(jar, "_folder", lambda _: tmp_path)
    with pytest.raises(MissingTool, match=hashlib.sha256(b"something else").hexdigest()):
        find_tools({})


def test_a_named_jar_is_taken_and_not_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLA2TOOLS_JAR names another jar; a name without a file is refused."""
    monkeypatch.setattr(jar, "_java", lambda: Path(sys.executable))
    newer = tmp_path / "newer.jar"
    with pytest.raises(MissingTool, match="is no file"):
        find_tools({JAR_VARIABLE: str(newer)})
    newer.touch()
    tools = find_tools({JAR_VARIABLE: str(newer)})
    assert (tools.jar, tools.pinned) == (newer, False)


def test_results_are_a_json_list(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program reads id, property, verdict, expected, seconds and detail."""
    result = judge(REFUTED, VIOLATED, lists=CHECKS)
    monkeypatch.setattr(check, "run_all", lambda _names, **_options: [result])
    assert main(["--json"]) == 0
    (read,) = msgspec.json.decode(capsys.readouterr().out)
    assert {"id", "property", "verdict", "expected", "seconds", "detail"} <= read.keys()


def test_a_line_says_model_expected_got_states_and_time() -> None:
    """The table is read at a glance."""
    words = " ".join(line(judge(REFUTED, VIOLATED, lists=CHECKS)).split())
    assert words == "ok broken/Fault refuted refuted 7 states 1.0 s StaticDutyHolds"
