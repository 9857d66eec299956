"""Makes a release: `python -m deploy.release FOLDER`.

The wheel, the source and the bill of materials are the same bytes whenever they are made of the
same checkout and lock; `SHA256SUMS` says which. The report of `make verify` comes along, where it
is about this very source: beside the wheel and not in it, as it is not made of the source alone.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.release import bill
from deploy.release.locked import ROOT
from grantproof.adapters.verification import verification
from grantproof.service.ports import StoreUnusable

EPOCH: Final = "SOURCE_DATE_EPOCH"
"""The instant that stands in the archives, for all of their files."""
FIRST: Final = "315532800"
"""The first instant that a zip file can tell: 1980."""
SUMS: Final = "SHA256SUMS"
REPORT: Final = ROOT / "build" / "verify" / "report.json"


def release(folder: Path) -> list[Path]:
    """Fill a folder, which is emptied before, with a release.

    Raises ValueError, or `StoreUnusable` for a report of the verification that is none.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    build(folder)
    (wheel,) = folder.glob("*.whl")
    name, version, *_ = wheel.name.split("-")
    bill.write(folder / f"{name}-{version}.cdx.json")
    if verification(REPORT if REPORT.exists() else None).verified:
        shutil.copyfile(REPORT, folder / f"{name}-{version}.verification.json")
    made = sorted(folder.iterdir())
    sums = (f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in made)
    (folder / SUMS).write_text("".join(sums), encoding="utf-8")
    return [*made, folder / SUMS]


def build(folder: Path, *, source: Path = ROOT) -> None:
    """Build the wheel and the source archive of a checkout, without a network."""
    done = subprocess.run(  # noqa: S603 - our own arguments
        (sys.executable, "-m", "hatchling", "build", "-d", str(folder.resolve())),
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, EPOCH: os.environ.get(EPOCH, _committed(source))},
    )
    if done.returncode != 0:
        message = f"the packages cannot be built: {done.stderr.strip() or done.stdout.strip()}"
        raise ValueError(message)


def _committed(source: Path) -> str:
    """Return when the checkout was committed; where no git tells, what zip files begin with."""
    told = subprocess.run(  # noqa: S603 - our own arguments
        ("git", "-C", str(source), "log", "-1", "--format=%ct"),  # noqa: S607 - the developer's git
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() if told.returncode == 0 else FIRST


def main() -> None:
    """Make a release, and say what was made."""
    try:
        made = release(Path(sys.argv[1]))
    except (StoreUnusable, ValueError) as error:
        sys.exit(f"grantproof: {error}")
    for one in made:
        sys.stdout.write(f"{one}\n")
    if not any(one.name.endswith(".verification.json") for one in made):
        sys.stderr.write("without a report of this source: `make verify` makes one, then again\n")


if __name__ == "__main__":
    main()
