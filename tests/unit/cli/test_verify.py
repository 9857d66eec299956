"""`grantproof verify`: the gate of the checkout, or one line that there is none."""

from pathlib import Path

import pytest

from grantproof.cli.main import main
from grantproof.cli.verify import enclosing_checkout
from tests.unit.cli.conftest import Run

GATE = """
import pathlib, sys
print("proofs", *sys.argv[1:], flush=True)
pathlib.Path("build/verify").mkdir(parents=True, exist_ok=True)
pathlib.Path("build/verify/report.json").write_text('{"passed": false}\\n')
sys.exit(1)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a gate that fails."""
    folder = tmp_path / "checkout"
    (folder / "specs" / "gate").mkdir(parents=True)
    (folder / "specs" / "gate" / "__main__.py").write_text(GATE, encoding="utf-8")
    return folder


def test_without_a_gate_there_is_nothing_to_verify(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and the exit code of a usage error."""
    monkeypatch.chdir(tmp_path)
    ended = run("verify")
    line = "nothing to verify here: no `specs/gate` in this folder or above it, and no PATH"
    assert (ended.code, ended.line) == (2, line)


@pytest.mark.parametrize("json", [[], ["--json"]])
def test_the_gate_is_run_with_its_output_and_exit_code(
    json: list[str],
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """From any folder of the checkout, with the stages asked for; programs are given the report."""
    monkeypatch.chdir(checkout / "specs")
    with pytest.raises(SystemExit) as ended:
        main(["verify", "--only", "smoke", *json])
    assert ended.value.code == 1
    shown = ("proofs --only smoke\n", "")
    told = capfd.readouterr()
    assert (told.out, told.err) == (('{"passed": false}\n', shown[0]) if json else shown)


def test_the_checkout_is_the_nearest_folder_with_a_gate(checkout: Path, tmp_path: Path) -> None:
    """Looked for here and above, nowhere else."""
    assert enclosing_checkout(checkout / "specs" / "gate") == checkout
    assert enclosing_checkout(tmp_path) is None
