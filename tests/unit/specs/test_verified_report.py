"""The report that the gate writes is the one that a running service takes for its verification."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from grantproof.adapters import verification as reader
from grantproof.adapters.verification import core_digest, verification
from specs.gate import main
from specs.gate.files import read_json, write_json
from specs.gate.main import JSON_REPORT, conclude
from specs.gate.origin import Origin, origin
from specs.gate.report import Row, Stage
from specs.gate.table import Board
from specs.gate.worker import STAGES
from specs.kernel.source import Source

GOOD = Row("P-SOUND", "evaluate", "proved")
ALL = tuple(Stage(name, (GOOD,)) for name in STAGES)


def begun_in(folder: Path, asked: Sequence[str] = STAGES) -> Origin:
    """Where the report of a gate comes from that begins now."""
    return origin(folder, asked, {}, core=core_digest())


def concluded(folder: Path, begun: Origin, stages: tuple[Stage, ...] = ALL) -> tuple[int, bool]:
    """The exit code of a gate that ran so, and whether a service is verified by its report."""
    console = Console(quiet=True)
    with Board(console, STAGES) as board:
        code = conclude(stages, folder, begun=begun, seconds=1.0, board=board)
    return code, verification(folder / JSON_REPORT).verified


def test_the_service_asks_for_every_stage_of_the_gate() -> None:
    """One that is added to the gate is asked for from then on."""
    assert reader.STAGES == STAGES


def test_the_report_of_a_gate_that_passes_verifies_what_runs(tmp_path: Path) -> None:
    """The digest in it is computed by the same function."""
    begun = begun_in(tmp_path)
    assert concluded(tmp_path, begun) == (0, True)
    assert read_json(tmp_path / JSON_REPORT).origin == begun
    assert core_digest() in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_gate_begins_with_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it runs is told in its report, by the function that the service uses."""
    monkeypatch.setattr(main, "run_stages", lambda *_, **__: list(ALL))
    monkeypatch.setattr(main, "write_page", lambda *_: None)
    assert main.main(["--reports", str(tmp_path)]) == 0
    assert verification(tmp_path / JSON_REPORT).verified


def test_a_gate_that_fails_or_was_not_whole_verifies_nothing(tmp_path: Path) -> None:
    """Although what was asked of it may have passed."""
    failed = (*ALL[1:], Stage(STAGES[0], (msgspec.structs.replace(GOOD, verdict="refuted"),)))
    begun = begun_in(tmp_path)
    assert concluded(tmp_path, begun, failed) == (1, False)
    smoke = begun_in(tmp_path, ("smoke",))
    assert concluded(tmp_path, smoke, (Stage("smoke", (GOOD,)),)) == (0, False)


def test_a_core_that_changes_while_it_is_verified_fails_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows which of the two was proved."""
    begun = begun_in(tmp_path)
    monkeypatch.setattr(main, "core_digest", lambda: "0" * 64)
    assert concluded(tmp_path, begun) == (1, False)


def test_a_report_without_the_digest_is_read_as_before(tmp_path: Path) -> None:
    """It verifies nothing."""
    begun = msgspec.structs.replace(begun_in(tmp_path), core=msgspec.UNSET)
    path = tmp_path / "old.json"
    write_json(ALL, path, seconds=1.0, passed=True, origin=begun)
    assert b'"core"' not in path.read_bytes()
    assert read_json(path).origin == begun
    assert not verification(path).verified


def test_what_is_hashed_is_what_the_proofs_read() -> None:
    """The same files, wherever the package is installed."""
    text = Source().text("grantproof.core.policy")
    assert (Path(reader.__file__).parents[1] / "core/policy.py").read_text("utf-8") == text
