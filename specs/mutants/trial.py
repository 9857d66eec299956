"""One trial of one mutant: its tests, run on the changed module, in a process of their own.

Called as `python -m specs.mutants.trial MODULE FILE TEST...`; exits as pytest does. Nothing of the
service may be imported before the changed text is in the way.
"""

import sys
from pathlib import Path
from typing import Final

import pytest

from specs.faults.namespace import Finder

OPTIONS: Final = (
    "-x",
    "-q",
    "--no-header",
    "--tb=no",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
)


def main(arguments: list[str]) -> int:
    """Run the tests on the module as the file has it."""
    module, text, *tests = arguments
    sys.meta_path.insert(0, Finder({module: Path(text).read_text(encoding="utf-8")}))
    return int(pytest.main([*OPTIONS, *tests]))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
