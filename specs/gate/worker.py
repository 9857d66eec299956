"""The process of one stage: `python -m specs.gate.worker NAME` writes its report to the output.

Whatever the stage itself prints goes to the error output, so that it cannot pass for a report.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from specs.gate.report import End, Message, Stopped, written

INSTALL: Final = "`python -m pip install --require-hashes -r requirements.lock` installs it"
STAGES: Final = ("specs", "properties", "tla", "faults", "traces", "crosshair", "smoke")
"""In the order in which they are started: those that take longest first."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage and report; the status says only whether it came to its end."""
    parser = argparse.ArgumentParser(prog="python -m specs.gate.worker", description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    report = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(message: Message) -> None:
        report.write(written(message))

    try:
        stage: Any = importlib.import_module(f"specs.gate.stages.{options.stage}")
        numbers: dict[str, int] = stage.run(say, options.jobs)
    except ModuleNotFoundError as missing:
        say(Stopped(f"`{missing.name}` not found: {INSTALL}"))
        return 0
    say(End(numbers))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
