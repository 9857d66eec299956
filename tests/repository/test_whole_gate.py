"""The whole gate runs what each of its parts would, and what two of them would once."""

import os
import re
import subprocess
from pathlib import Path

from tests.repository.checkout import ROOT


def commands(target: str, venv: Path) -> set[str]:
    """What the target would run in an environment that is there, besides make itself."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    (venv / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("bin/python", ".installed"):
        (venv / name).touch()
    done = subprocess.run(
        ["make", "--dry-run", f"VENV={venv}", target],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line for line in done.stdout.splitlines() if line.startswith(f"{venv}/bin/")}


def test_what_the_whole_gate_leaves_out_of_the_check_is_among_all_tests(tmp_path: Path) -> None:
    """These are tests, of the folder of which `make test` leaves none out but the browser's."""
    parts = re.findall(r"^in_fresh_venv (\S+) ", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert parts == ["check-code", "verify", "test"]
    check, code, (test,) = (commands(one, tmp_path) for one in ("check", "check-code", "test"))
    assert code < check
    pytest = f"{tmp_path}/bin/python -m pytest --quiet "
    left_out = check - code
    assert all(one.startswith(pytest) for one in left_out), left_out
    paths = [path for one in left_out for path in one.removeprefix(pytest).split()]
    assert paths
    assert all(path.startswith(("tests/repository", "tests/unit/")) for path in paths), paths
    assert re.fullmatch(rf"{tmp_path}/bin/python -m pytest --numprocesses=\d+ --dist=\w+", test)
