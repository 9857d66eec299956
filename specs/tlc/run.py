"""Runs TLC on one configuration, in a folder of its own that is gone afterwards."""

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from specs.tlc.expectations import MODELS, Expectation
from specs.tlc.jar import Tools

SECONDS_MAX: Final = 120
HEAP_MEGABYTES_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class Run:
    """How TLC ended and what it printed; no exit code when it was stopped at the time limit."""

    exit_code: int | None
    text: str
    seconds: float


def run(expectation: Expectation, tools: Tools, *, seconds_max: int = SECONDS_MAX) -> Run:
    """Return what TLC did with the configuration."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="grantproof-tlc-") as name:
        folder = Path(name)
        _copy(expectation, folder)
        try:
            done = subprocess.run(  # noqa: S603 - our own command on our own files
                _command(expectation, tools, folder),
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=seconds_max,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Run(None, "", time.monotonic() - began)
    return Run(done.returncode, done.stdout, time.monotonic() - began)


def _copy(expectation: Expectation, folder: Path) -> None:
    """Put the modules side by side, where TLC looks for them."""
    for module in MODELS.rglob("*.tla"):
        shutil.copy(module, folder)
    shutil.copy(MODELS / f"{expectation.name}.cfg", folder / "model.cfg")


def _command(expectation: Expectation, tools: Tools, folder: Path) -> list[str | Path]:
    # One worker and a fixed fingerprint find the same states in the same order every time. The
    # first compiler alone starts fastest. TLC unpacks its library into the temporary folder: with
    # one shared by two runs, one would read what the other is still writing.
    return [
        tools.java,
        f"-Xmx{HEAP_MEGABYTES_MAX}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Djava.io.tmpdir={folder}",
        *("-cp", tools.jar, "tlc2.TLC", "-nowarning", "-deadlock"),
        *("-workers", "1", "-fp", "0", "-metadir", folder / "states"),
        *("-config", "model.cfg", expectation.module),
    ]
