"""Runs TLC on one configuration, in a folder of its own that is gone afterwards."""

import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from specs.tlc.expectations import MODELS, Expectation, is_deep
from specs.tlc.jar import Tools
from specs.tlc.once import Run, shared
from specs.tlc.startup import options

SECONDS_MAX: Final = 300
DEEP_SECONDS_MAX: Final = 3600
CONFIGURATION: Final = "model.cfg"


def run(expectation: Expectation, tools: Tools) -> Run:
    """Return what TLC does with the configuration, or what it did in this run of the gate."""
    files = _files(expectation)
    seconds_max = DEEP_SECONDS_MAX if is_deep(expectation.name) else SECONDS_MAX
    inputs = (
        *(part for name in sorted(files) for part in (name.encode(), files[name])),
        expectation.module.encode(),
        str(tools.java).encode(),
        tools.jar.read_bytes(),
    )
    return shared(inputs, lambda: _run(expectation, tools, files, seconds_max=seconds_max))


def _files(expectation: Expectation) -> Mapping[str, bytes]:
    """Return the modules side by side, where TLC looks for them, and the configuration."""
    modules = {module.name: module.read_bytes() for module in MODELS.rglob("*.tla")}
    return {**modules, CONFIGURATION: (MODELS / f"{expectation.name}.cfg").read_bytes()}


def _run(
    expectation: Expectation, tools: Tools, files: Mapping[str, bytes], *, seconds_max: int
) -> Run:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="grantproof-tlc-") as temporary:
        folder = Path(temporary)
        for name, content in files.items():
            (folder / name).write_bytes(content)
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


def _command(expectation: Expectation, tools: Tools, folder: Path) -> list[str | Path]:
    # One worker and a fixed fingerprint find the same states in the same order every time. TLC
    # unpacks its library into the temporary folder: with one shared by two runs, one would read
    # what the other is still writing. Temporal properties are checked at the end, not whenever some
    # time has passed, so that the states found do not depend on how busy the machine is.
    return [
        tools.java,
        *options(tools),
        f"-Djava.io.tmpdir={folder}",
        *("-cp", tools.jar, "tlc2.TLC", "-nowarning", "-deadlock"),
        *("-workers", "1", "-fp", "0", "-metadir", folder / "states"),
        *("-lncheck", "final", "-config", CONFIGURATION, expectation.module),
    ]
