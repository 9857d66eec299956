"""A folder in which a database can be made not to grow any more, and to grow again."""

import os
import resource
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Final, Protocol

from typing_extensions import override

SIZE: Final = "16m"
BLOCK_BYTES: Final = 4_096


class Process(Protocol):
    """Whoever writes there."""

    @property
    def pid(self) -> int:
        """Its id."""
        ...


class SmallDisk(ABC):
    """Where a database lies that has no room at times."""

    kind: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def fill(self, process: Process) -> None:
        """Leave no room for what the process writes."""

    @abstractmethod
    def free(self, process: Process) -> None:
        """Give it room again."""


class OwnMemory(SmallDisk):
    """A file system of its own, in memory, which a ballast fills to the last block."""

    kind = "a full tmpfs"

    @override
    def fill(self, process: Process) -> None:
        """Write the ballast until nothing more fits."""
        del process
        with (self.folder / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(b"\0" * BLOCK_BYTES)

    @override
    def free(self, process: Process) -> None:
        """Throw the ballast away."""
        del process
        (self.folder / "ballast").unlink()


class LimitedFiles(SmallDisk):
    """An ordinary folder, and a limit of the process: no file grows beyond what they have."""

    kind = "RLIMIT_FSIZE"

    @override
    def fill(self, process: Process) -> None:
        """Let no file of the process become larger than the smallest one may be."""
        smallest = min(path.stat().st_size for path in self.folder.glob("*.db*"))
        _limit(process, smallest)

    @override
    def free(self, process: Process) -> None:
        """Let files grow again."""
        _limit(process, resource.RLIM_INFINITY)


def _limit(process: Process, size: int) -> None:
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """A file system of its own where one may be mounted; elsewhere a limit."""
    folder.mkdir()
    mounted = os.geteuid() == 0 and _mount(folder)
    try:
        yield OwnMemory(folder) if mounted else LimitedFiles(folder)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "grantproof-test", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
