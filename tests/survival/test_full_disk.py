"""No room on the disk of a SQLite database: changes are 503, decisions go on, nothing is lost."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from grantproof.adapters.sql import backups
from grantproof.service.ports import StoreUnavailable
from tests.api.furnished import FACTS, READS
from tests.databases import Database, SqliteDatabase, opened
from tests.survival.scales import SCALE
from tests.survival.serving import Caller, Process, process_on, serving
from tests.survival.small_disk import BLOCK_BYTES, LimitedFiles, SmallDisk, small_disk
from tests.survival.sound import check_audit, history

ORGANIZATION: Final = "acme"
ROUNDS: Final = 2
LINE: Final = "does not fit on its disk: free some space"
"""What the log says of it."""

AT_ONCE: Final = 30
"""How many facts a change adds: enough that it needs room."""

Open = Callable[[Path], Any]


def in_a_plain_folder(folder: Path) -> "nullcontext[SmallDisk]":
    """Where no file system can be mounted."""
    folder.mkdir()
    return nullcontext(LimitedFiles(folder))


@dataclass(slots=True)
class Asked:
    """What was asked for and what was answered, by the name of the request."""

    statuses: dict[str, int] = field(default_factory=dict)
    decisions: Counter[str] = field(default_factory=Counter)

    def change(self, caller: Caller) -> int:
        """Ask for a change that needs room, and for a decision; the status of the change."""
        number = len(self.statuses)
        commands = [
            {
                "type": "CreatePrincipal",
                "principal": f"p{number}-{n}",
                "attributes": {"x": "y" * 99},
            }
            for n in range(AT_ONCE)
        ]
        answer = caller.ask(
            "POST",
            f"/v1/orgs/{ORGANIZATION}/changes",
            {"commands": commands},
            headers={"X-Request-ID": f"c{number}"},
        )
        self.statuses[f"c{number}"] = answer.status
        if answer.status != 200:
            assert (answer.status, answer.code) == (503, "store_unavailable"), answer
        decided = caller.ask("POST", "/evaluate", {"org_id": ORGANIZATION, **READS})
        assert decided.status == 200, decided
        self.decisions[decided.told["decision"]] += 1
        return answer.status

    def of(self, status: int) -> set[str]:
        """The names of the requests that were answered so."""
        return {name for name, found in self.statuses.items() if found == status}


def database_in(folder: Path) -> Database:
    """An empty database in the folder."""
    database = SqliteDatabase(folder / "grantproof.db")
    opened(database.address).close()
    return database


def filled_and_freed(process: Process, disk: SmallDisk, asked: Asked) -> None:
    """Take the room away and give it back, again and again."""
    for _ in range(ROUNDS):
        with closing(process.caller()) as caller:
            assert asked.change(caller) == 200
            disk.fill(process)
            told = [asked.change(caller) for _ in range(SCALE.disk_changes)]
            assert 503 in told, "there was room for everything, so this run shows nothing"
            assert told[-1] == 503
            disk.free(process)
            assert asked.change(caller) == 200


@pytest.mark.parametrize("place", [small_disk, in_a_plain_folder])
def test_a_full_disk_costs_no_decision_and_nothing_acknowledged(
    place: Open, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Changes are refused with 503 and a line that says what to do; with room all works again."""
    asked = Asked()
    with place(tmp_path / "disk") as disk:
        database = database_in(disk.folder)
        process = process_on(database, tmp_path / "service")
        with serving(process):
            with closing(process.caller()) as caller:
                assert caller.ask("POST", "/v1/orgs", {"id": ORGANIZATION}).status == 201
                path = f"/v1/orgs/{ORGANIZATION}/changes"
                assert caller.ask("POST", path, {"commands": FACTS}).status == 200
            filled_and_freed(process, disk, asked)
            process.stop()
        made = history(database, ORGANIZATION).made()
        check_audit(process)
    record_property(
        "figure",
        f"{disk.kind}: {ROUNDS} times full; {len(asked.of(200))} changes acknowledged and there,"
        f" {len(asked.of(503))} told 503 and not there; {asked.decisions.total()} decisions right",
    )
    # The limit of the process holds for its log too: then nothing is told there.
    assert isinstance(disk, LimitedFiles) or LINE in process.log
    assert process.starts == 1
    assert set(asked.decisions) == {"Allow"}
    # What the service names itself may begin with any letter.
    assert asked.of(200) == made.keys() & asked.statuses.keys()


@dataclass(frozen=True, slots=True)
class Ourselves:
    """The process that runs the test."""

    pid: int = field(default_factory=os.getpid)


@contextmanager
def full(disk: SmallDisk) -> Iterator[None]:
    """Meanwhile there is no room for what we write."""
    # Where only files are limited, to the size of this one: that of what readers share fits.
    (disk.folder / "one.db").write_bytes(b"\0" * 16 * BLOCK_BYTES)
    disk.fill(Ourselves())
    try:
        yield
    finally:
        disk.free(Ourselves())


@pytest.mark.parametrize("place", [small_disk, in_a_plain_folder])
def test_a_copy_that_does_not_fit_is_not_taken_for_its_database(
    place: Open, tmp_path: Path
) -> None:
    """Backed up or restored: the folder that lacks room is named, and nothing is left in it."""
    (tmp_path / "elsewhere").mkdir()
    database, copy = tmp_path / "elsewhere" / "grantproof.db", tmp_path / "elsewhere" / "copy.db"
    database_in(database.parent)
    backups.back_up(database, copy)
    with place(tmp_path / "disk") as disk:
        there = re.escape(f"does not fit into the folder `{disk.folder}`")
        with full(disk):
            with pytest.raises(StoreUnavailable, match=there):
                backups.back_up(database, disk.folder / "copy.db")
            with (
                pytest.raises(StoreUnavailable, match=there),
                backups.draft_of(copy, disk.folder / "grantproof.db", replace=False),
            ):
                pass
        assert {path.name for path in disk.folder.iterdir()} == {"one.db"}
