"""The service under a clock that a file sets: `python -m tests.survival.shifted serve ...`.

`time.time` of the whole process tells the instant of the machine plus the seconds in the file,
which whoever tests may change at any moment. It is put in place before anything of the service is
imported, so that nothing keeps the machine's own.
"""

import os
import time
from pathlib import Path
from typing import Final

FILE: Final = "GRANTPROOF_SHIFT"
"""The environment variable that names the file."""


def install(path: Path) -> None:
    """Let the file shift the time from now on."""
    read = time.time

    def shifted() -> float:
        return read() + float(path.read_text(encoding="ascii"))

    time.time = shifted


if __name__ == "__main__":
    install(Path(os.environ[FILE]))
    from grantproof.cli.main import main

    main()
