"""`python -m specs.report REPORT`: the page of a report that was written, beside it or as told."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from specs.gate.files import read_json
from specs.report.page import write_page


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page and return 0; 2 where the report cannot be read or the page not written."""
    parser = argparse.ArgumentParser(prog="python -m specs.report", description=__doc__)
    parser.add_argument("report", type=Path, help="`report.json` of the gate")
    parser.add_argument("--page", type=Path, help="the page to write; `report.html` beside it")
    options = parser.parse_args(arguments)
    try:
        write_page(read_json(options.report), options.page or options.report.with_suffix(".html"))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"grantproof: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
