"""The import contracts bite: a copy of the product with one breach per contract breaks each."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.repository.checkout import ROOT

# What is added to a module to breach the contract of that id.
BREACHES = {
    "layers": ("stray.py", ""),
    "solver": ("service/breach_solver.py", "import z3"),
    "database": ("api/breach_database.py", "import sqlalchemy"),
    "adapters": ("adapters/breach_one.py", "import grantproof.adapters.breach_two"),
    "pure-libraries": ("core/breach_library.py", "import pydantic"),
    "pure-world": ("core/breach_world.py", "import time"),
    "client": ("client/breach_client.py", "import grantproof.core.model"),
    "product": ("cli/breach_product.py", "import tests"),
}


def contract_names() -> dict[str, str]:
    """The name of each contract by its id."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = configuration["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract["name"] for contract in contracts}


def lint_imports(source_folder: Path) -> str:
    """The report of import-linter on the package found in `source_folder`."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--config", ROOT / "pyproject.toml", "--no-cache"],
        env=os.environ | {"PYTHONPATH": str(source_folder), "COLUMNS": "300"},
        cwd=source_folder,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report on a copy of the product in which every contract is breached."""
    folder = tmp_path_factory.mktemp("breached")
    package = shutil.copytree(ROOT / "src" / "grantproof", folder / "grantproof")
    (package / "adapters" / "breach_two.py").touch()
    for place, text in BREACHES.values():
        (package / place).write_text(text)
    return lint_imports(folder)


def test_every_contract_has_a_breach() -> None:
    """A contract that is added comes with the breach that it refuses."""
    assert set(BREACHES) == set(contract_names())


@pytest.mark.parametrize("contract", BREACHES)
def test_a_breach_breaks_its_contract(contract: str, report: str) -> None:
    """Each kind of forbidden import, and a stray module, is refused."""
    assert f"{contract_names()[contract]} BROKEN" in report
