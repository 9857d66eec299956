"""Runs CrossHair on the contracts and reads what it says of each: `python -m specs.crosshair`.

A contract must be confirmed, a twin refuted. Not confirmed, nothing said, or something said that
belongs to no contract: each is a failure.
"""

import argparse
import ast
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = Path(__file__).parent
TIME_LIMIT_SECONDS: Final = 300
JOBS: Final = 2
SAID: Final = re.compile(r"^.*?:(?P<line>\d+): (?P<level>info|error|warning): (?P<words>.*)$")
CONFIRMED: Final = "Confirmed over all paths."
REFUTED: Final = "false when calling "
Expected = Literal["confirmed", "refuted"]
MODULES: Final[Mapping[str, Expected]] = {"contracts": "confirmed", "twins": "refuted"}


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of a module: its property, its name, and the lines that it stands on."""

    property_id: str
    name: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What CrossHair said of a contract, and what it must say."""

    property_id: str
    name: str
    said: str
    expected: Expected
    seconds: float

    @property
    def as_expected(self) -> bool:
        """Whether it said exactly what it must."""
        if self.expected == "confirmed":
            return self.said == CONFIRMED
        return self.said.startswith(REFUTED)


def contracts_of(text: str) -> list[Contract]:
    """Return the contracts of a module, by the text of the module."""
    return [
        Contract(
            property_id=(ast.get_docstring(node) or "-").partition(":")[0],
            name=node.name,
            first=node.lineno,
            last=node.end_lineno or node.lineno,
        )
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    ]


def verdicts(
    contracts: Sequence[Contract], output: str, *, expected: Expected, seconds: float
) -> list[Verdict]:
    """Return a verdict on every contract, and one on each word that belongs to none."""
    found: dict[str, list[str]] = {contract.name: [] for contract in contracts}
    strays: list[str] = []
    for line in filter(None, map(str.strip, output.splitlines())):
        said = SAID.match(line)
        owner = None if said is None else _owner(contracts, int(said["line"]))
        if said is None or owner is None:
            strays.append(line)
        else:
            found[owner.name].append(said["words"])
    share = seconds / max(len(contracts), 1)
    return [
        *(Verdict(c.property_id, c.name, _one(found[c.name]), expected, share) for c in contracts),
        *(Verdict("-", "no contract", stray, expected, 0.0) for stray in strays),
    ]


def _owner(contracts: Iterable[Contract], line: int) -> Contract | None:
    return next((one for one in contracts if one.first <= line <= one.last), None)


def _one(said: Sequence[str]) -> str:
    return said[0] if len(said) == 1 else "; ".join(said) or "nothing was said"


def check(module: str) -> list[Verdict]:
    """Return the verdicts on one of the modules."""
    started = time.perf_counter()
    contracts = contracts_of((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    command = (
        *(sys.executable, "-m", "crosshair", "check", "--report_all"),
        *("--analysis_kind=PEP316", f"specs.crosshair.{module}"),
    )
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_SECONDS,
            check=False,
        )
        output = done.stdout if done.returncode in {0, 1} else done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        output = f"no end within {TIME_LIMIT_SECONDS} s"
    seconds = time.perf_counter() - started
    return verdicts(contracts, output, expected=MODULES[module], seconds=seconds)


def run_all(
    *, jobs: int = JOBS, on_verdict: Callable[[Verdict], None] = lambda _: None
) -> list[Verdict]:
    """Return the verdict on every contract and every twin. Raises `ModuleNotFoundError`."""
    if find_spec("crosshair") is None:
        raise ModuleNotFoundError("no module named `crosshair`", name="crosshair-tool")
    found: list[Verdict] = []
    with ThreadPoolExecutor(jobs) as pool:
        for several in pool.map(check, MODULES):
            found += several
            for one in several:
                on_verdict(one)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when every contract is confirmed and every twin refuted."""
    parser = argparse.ArgumentParser(prog="python -m specs.crosshair", description=__doc__)
    parser.parse_args(arguments)
    started = time.perf_counter()
    try:
        found = run_all(on_verdict=lambda verdict: _say(line(verdict)))
    except ModuleNotFoundError as missing:
        _say(
            f"`{missing.name}` not found: `python -m pip install --require-hashes -r "
            "requirements.lock` installs it"
        )
        return 1
    failed = sum(not verdict.as_expected for verdict in found)
    seconds = time.perf_counter() - started
    _say(f"{len(found)} contracts, {failed} not as expected, {seconds:.1f} s")
    return 1 if failed or not found else 0


def line(verdict: Verdict) -> str:
    """Return a verdict as one line of a table."""
    mark = "ok  " if verdict.as_expected else "FAIL"
    return (
        f"{mark}  {verdict.property_id:13} {verdict.name:34} {verdict.expected:9}  {verdict.said}"
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
