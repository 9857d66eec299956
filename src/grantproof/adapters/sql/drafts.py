"""Files that appear whole or not at all: written under another name first, then given their own."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600

COMPANIONS: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file while it works on it, by the ends of their names."""


@contextmanager
def draft_beside(file: Path) -> Iterator[Path]:
    """Yield a new, empty file in the same folder, readable by its owner only; gone at the end."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))
    try:
        yield draft
    finally:
        for path in (draft, *companions(draft)):
            path.unlink(missing_ok=True)


def put(draft: Path, file: Path) -> None:
    """Let the draft be the file, for good; raises `FileExistsError` when there is one already."""
    keep(draft)
    os.link(draft, file)
    # The name of a new file must outlive a loss of power, as its content does.
    keep(file.parent)


def keep(path: Path) -> None:
    """Return when a file or a folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def companions(file: Path) -> tuple[Path, ...]:
    """Return the names of what SQLite may keep beside a database."""
    return tuple(file.with_name(file.name + end) for end in COMPANIONS)
