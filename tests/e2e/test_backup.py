"""Backups made while several processes write, and every command of `docs/backup.md` as it stands.

Of each copy: what was acknowledged before it was begun is in it, nothing is half there, the chain
is whole and the rows are what the events make.
"""

import multiprocessing
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from grantproof.adapters.sql import SqlStore
from grantproof.bootstrap import assemble
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import AssignRole, ChangeSet, CreatePrincipal, CreateRole
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId
from grantproof.core.invariants import valid
from grantproof.service.audit_chain import faults
from grantproof.service.authors import Author
from grantproof.service.history import EVERYTHING, everything
from tests.contracts.histories import created
from tests.databases import opened
from tests.postgresql import Server, running_server
from tests.processes import bare
from tests.warm import programs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/backup.md").read_text(encoding="utf-8")

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["alembic.command", "grantproof.adapters.sql"])

ACME, READER = OrganizationId("acme"), RoleId("reader")
WRITERS = 2
CHANGES_BETWEEN = 5
PATIENCE_SECONDS = 240
PAUSE_SECONDS = 0.02


def write_for_ever(address: str, name: str, told: Connection) -> None:
    """In a process of its own: change after change, each told when it is acknowledged."""
    administration = assemble(opened(address)).administration
    number = 0
    while True:
        principal = PrincipalId(f"{name}-{number}")
        command = ChangeSet((CreatePrincipal(principal), AssignRole(principal, READER)))
        outcome = administration.propose(ACME, command, by=Author(name))
        if isinstance(outcome, Accepted):
            told.send((outcome.state.revision, str(principal)))
            number += 1
        time.sleep(PAUSE_SECONDS)


@dataclass
class Writers:
    """The processes that write, and what they have been told is stored, by revision."""

    pipes: list[Connection]
    acknowledged: dict[int, str] = field(default_factory=dict)

    def hear(self, more: int = CHANGES_BETWEEN) -> dict[int, str]:
        """Let each write some more; return all that is acknowledged by now."""
        for pipe in self.pipes:
            for _ in range(more):
                assert pipe.poll(PATIENCE_SECONDS), "a writer does not write"
                self._take(pipe)
        for pipe in self.pipes:
            while pipe.poll(0):
                self._take(pipe)
        return dict(self.acknowledged)

    def _take(self, pipe: Connection) -> None:
        revision, name = pipe.recv()
        self.acknowledged[revision] = name


@contextmanager
def writing(address: str) -> Iterator[Writers]:
    """Processes that write until the end of this."""
    with ExitStack() as stack:
        pipes = []
        for number in range(WRITERS):
            ours, theirs = PROCESSES.Pipe(duplex=False)
            process = PROCESSES.Process(target=write_for_ever, args=(address, f"w{number}", theirs))
            process.start()
            theirs.close()
            stack.callback(process.join)
            stack.callback(process.kill)
            pipes.append(ours)
        yield Writers(pipes)


def made(address: str) -> None:
    """A database with an organization in which there is a role."""
    store = opened(address)
    created(store, ACME, [CreateRole(READER)])
    store.close()


def seals(store: SqlStore) -> list[str | None]:
    """The seal of each event."""
    return [entry.mac for entry in everything(store, ACME, EVERYTHING, limit=1_000)]


def check(copy: SqlStore, live: list[str | None], *, acknowledged: dict[int, str]) -> int:
    """Hold a copy to what was acknowledged before it, and to the history that it is a part of.

    Return its revision.
    """
    state = copy.load(ACME)
    assert state is not None
    assert state.revision >= max(acknowledged)
    assert {PrincipalId(name) for name in acknowledged.values()} <= set(state.principals)
    assert all(list(state.assignments.of(one)) == [READER] for one in state.principals)
    assert seals(copy) == live[: state.revision + 1]
    with copy.ledger.chain(ACME) as (anchor, chain):
        assert list(faults(copy.ledger.key, anchor, chain)) == []
    assert list(copy.ledger.differences(ACME)) == []
    assert list(valid(state)) == []
    assert copy.damage() == ()
    return state.revision


def console(first: str) -> str:
    """The block of commands of the page that has a command beginning so, as a script."""
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if block.startswith(f"$ {first}")]
    return "\n".join(line.removeprefix("$ ") for line in found.splitlines())


def environment(**more: str) -> dict[str, str]:
    """An environment without settings in which the program is found."""
    return {**bare(PATH=f"{programs()}:{os.environ['PATH']}"), **more}


def run(script: str, folder: Path, **more: str) -> str:
    """What a script prints that must succeed in the folder."""
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# ---------------------------------------------------------------- SQLite


def test_a_copy_of_a_file_made_amid_writers(tmp_path: Path) -> None:
    """Backed up while processes write, then restored where nothing is: the copy is sound."""
    database, there = tmp_path / "grantproof.db", tmp_path / "there"
    made(str(database))
    with writing(str(database)) as writers:
        before = writers.hear()
        run("grantproof db backup copy.db", tmp_path)
        last = writers.hear()
    there.mkdir()
    shutil.copy(tmp_path / "grantproof.db.audit-key", there)
    assert "1 organizations, checked" in run("grantproof db restore ../copy.db", there)
    live, copy = opened(database), opened(there / "grantproof.db")
    assert check(copy, seals(live), acknowledged=before) < max(last)
    live.close()
    copy.close()


def test_the_page_on_files_works_when_pasted(tmp_path: Path) -> None:
    """Backup, restore in place and the rehearsal, block by block."""
    made(str(tmp_path / "grantproof.db"))
    run(console("grantproof db backup"), tmp_path)
    store = opened(tmp_path / "grantproof.db")
    store.delete(ACME, actor="mistake", instant=1)
    store.close()
    said = run(console("grantproof db restore"), tmp_path)
    assert "revoke again what was revoked since" in said
    said = run(console("grantproof audit checkpoint"), tmp_path)
    assert "the chain is whole and extends the checkpoint" in said
    assert "every row is what the events make it" in said
    assert "acme" in said.splitlines()[-1]


# ---------------------------------------------------------------- PostgreSQL


@pytest.fixture(scope="module")
def archiving() -> Iterator[Server]:
    """A server that archives what it writes, in a folder of its own account."""
    with running_server(
        archive_mode="on",
        archive_command="test -d archive || mkdir archive; cp %p archive/%f",
        wal_level="replica",
    ) as server:
        yield server


def client(server: Server) -> dict[str, str]:
    """What the server's own programs need to find it."""
    path = f"{server.programs}:{programs()}:{os.environ['PATH']}"
    return {"PATH": path, "PGHOST": str(server.folder), "PGUSER": "postgres"}


def test_a_dump_made_amid_writers(archiving: Server, tmp_path: Path) -> None:
    """`pg_dump` and `pg_restore` as the page says: the copy is sound."""
    archiving.create(name="grantproof")
    address = archiving.address("grantproof")
    made(address)
    with writing(address) as writers:
        before = writers.hear()
        run(console("pg_dump"), tmp_path, **client(archiving))
        last = writers.hear()
    live, copy = opened(address), opened(archiving.address("drill"))
    assert check(copy, seals(live), acknowledged=before) < max(last)
    live.close()
    copy.close()
    archiving.drop("grantproof")


@pytest.mark.parametrize("target", ["time", "name"])
def test_recovery_to_a_point_amid_writers(archiving: Server, tmp_path: Path, target: str) -> None:
    """A base backup and the archive lead to the point: neither before it nor after."""
    name = archiving.create()
    address = archiving.address(name)
    made(address)
    with writing(address) as writers:
        writers.hear()
        run(console("pg_basebackup"), tmp_path, **client(archiving))
        before = writers.hear()
        point = marked(archiving)
        after = max(writers.hear())
    live = opened(address)
    history = seals(live)
    live.close()
    archived(archiving)
    script = console('echo "restore_command')
    if target == "name":
        script = script.replace("recovery_target_time = '$POINT'", "recovery_target_name = 'here'")
    run(script, tmp_path, ARCHIVE=str(archiving.folder / "data" / "archive"), POINT=point)
    with recovered(tmp_path / "base") as server:
        copy = opened(server.address(name))
        assert check(copy, history, acknowledged=before) < after
        outcome = assemble(copy).administration.propose(
            ACME, CreateRole(RoleId("later")), by=Author("x")
        )
        assert isinstance(outcome, Accepted)
        copy.close()


def marked(server: Server) -> str:
    """Name this moment, and tell when it is; by the server's own clock."""
    server.query("postgres", "SELECT pg_create_restore_point('here')")
    ((now,),) = server.query("postgres", "SELECT clock_timestamp()::text")
    return str(now)


def archived(server: Server) -> None:
    """Return when all that was written so far is in the archive."""
    ((last,),) = server.query("postgres", "SELECT pg_walfile_name(pg_switch_wal())")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (server.folder / "data" / "archive" / last).exists():
        assert time.monotonic() < deadline, "the server does not archive"
        time.sleep(0.02)


@contextmanager
def recovered(base: Path) -> Iterator[Server]:
    """A server on a base backup that is to be recovered; it is up when it takes changes."""
    # A standby, which it is while it recovers, knows no serializable transactions.
    with running_server(default_transaction_isolation="read committed") as server:
        with server.halted():
            shutil.rmtree(server.folder / "data")
            shutil.copytree(base, server.folder / "data", symlinks=True)
            give(server, server.folder / "data")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while server.query("postgres", "SELECT pg_is_in_recovery()") != [(False,)]:
            assert time.monotonic() < deadline, "the server does not recover"
            time.sleep(0.02)
        yield server


def give(server: Server, folder: Path) -> None:
    """Let the server's account own the folder and all in it."""
    if server.account is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, server.account.pw_uid, server.account.pw_gid)
