"""A server that starts from its snapshot file, changed behind it; and one killed as it writes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.snapshot_files import DRAFT_SUFFIX, SUFFIX
from grantproof.core.identifiers import OrganizationId
from tests import warm
from tests.contracts.histories import HISTORY, created
from tests.e2e.test_cli_serve import STOP_SECONDS_MAX, announced, posted
from tests.processes import bare, free_port
from tests.shelves import found, kept, seen_in, shelf_in

ACME = OrganizationId("acme")

WRITE_AND_HANG = """
import sys, time
from pathlib import Path
from grantproof.adapters.memory import MemoryStore
from tests.contracts.histories import created
from tests.e2e.test_snapshot_start import ACME
from tests.shelves import seen_in, shelf_in

store = MemoryStore()
created(store, ACME)
parts = 0

def pace():
    global parts
    parts += 1
    if parts == 5:
        print("writing", flush=True)
        time.sleep(600)
    return True

shelf_in(Path(sys.argv[1])).keep(seen_in(store, ACME), pace)
"""


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[warm.Warm]:
    """The demo in the folder, killed at the end if it still runs."""
    command = ("serve", "--demo", "--port", str(free_port()))
    environment = bare(HOME=str(folder), **settings)
    with warm.started(command, seconds=STOP_SECONDS_MAX, env=environment, cwd=folder) as server:
        yield server


def served(folder: Path, snapshots: Path) -> tuple[Any, list[Any]]:
    """What a server answers that is started, asked once and stopped; and what it logs."""
    settings = {"GRANTPROOF_SNAPSHOTS": str(snapshots), "GRANTPROOF_LOG_FORMAT": "json"}
    with serving(folder, **settings) as server:
        _, _, _, *pasted = announced(server, 5)
        answer = posted(pasted)
        server.send_signal(signal.SIGTERM)
        _, err = server.communicate(timeout=STOP_SECONDS_MAX)
        assert server.returncode == 0
    return answer, [json.loads(line) for line in err.splitlines()]


def test_a_server_starts_from_its_file_and_knows_what_was_changed_behind_it(
    tmp_path: Path,
) -> None:
    """Stopped, changed by the command line, started; then its file is spoilt, and started again."""
    snapshots = tmp_path / "snapshots"
    answer, logs = served(tmp_path, snapshots)
    assert (answer["decision"], answer["revision"], logs) == ("Allow", 1, [])
    (path,) = snapshots.iterdir()
    assert path.suffix == SUFFIX
    command = ("claim", "delete", "viewer-read-docs", "--org", "acme")
    warm.run(*command, cwd=tmp_path, env=bare(HOME=str(tmp_path))).check_returncode()
    answer, logs = served(tmp_path, snapshots)
    assert (answer["decision"], answer["revision"]) == ("Deny", 2)
    (line,) = logs
    assert (line["event"], line["organization"]) == ("started from a snapshot file", "acme")
    assert (line["revision"], line["events"]) == (2, 1)
    path.write_bytes(path.read_bytes()[:-1])
    answer, logs = served(tmp_path, snapshots)
    assert (answer["decision"], answer["revision"]) == ("Deny", 2)
    assert [line["event"] for line in logs] == ["snapshot file ignored"]


def test_a_folder_that_cannot_be_used_ends_the_start(tmp_path: Path) -> None:
    """With one line and exit code 3, as of every folder that a setting names."""
    (tmp_path / "file").touch()
    settings = {"GRANTPROOF_SNAPSHOTS": str(tmp_path / "file")}
    with serving(tmp_path, **settings) as server:
        _, err = server.communicate(timeout=STOP_SECONDS_MAX)
    assert server.returncode == 3
    assert f"the folder `{tmp_path / 'file'}` of snapshots cannot be used" in err


def test_killed_while_it_writes_the_file_before_stays(tmp_path: Path) -> None:
    """What was half written is never taken for anything."""
    store, shelf = MemoryStore(), shelf_in(tmp_path)
    created(store, ACME, HISTORY[:3])
    path = kept(shelf, seen_in(store, ACME))
    before = path.read_bytes()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE_AND_HANG, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])},
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    with writer:
        assert writer.stdout.readline() == b"writing\n"
        writer.kill()
    assert sorted(one.suffix for one in tmp_path.iterdir()) == sorted([SUFFIX, DRAFT_SUFFIX])
    assert path.read_bytes() == before
    assert found(shelf, ACME).read().state == store.load(ACME)
