"""An import of assignments that is killed again and again, and goes on until it is done."""

import random
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from grantproof.bootstrap import compose
from grantproof.core.commands.language import ChangeSet, CreatePrincipal, CreateRole
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId
from grantproof.service.authors import Author
from grantproof.settings import Settings
from tests import warm
from tests.processes import bare

ACME = OrganizationId("acme")
PRINCIPALS, ROLES, BATCH, KILLS = 2_000, 10, 250, 5
BATCHES = PRINCIPALS * ROLES // BATCH
PATIENCE_SECONDS = 60


def furnish(database: Path) -> None:
    """Make the organization whose principals and roles the file names."""
    services = compose(Settings(database_url=str(database)), create=True)
    author = Author("os:test")
    assert services.administration.found(ACME, time_zone="UTC", by=author)
    principals = (CreatePrincipal(PrincipalId(f"p{n}")) for n in range(PRINCIPALS))
    roles = (CreateRole(RoleId(f"r{n}")) for n in range(ROLES))
    services.administration.propose(ACME, ChangeSet((*principals, *roles)), by=author)
    services.close()


def revision(database: Path) -> int:
    """The revision that is stored now."""
    with closing(sqlite3.connect(database, timeout=PATIENCE_SECONDS)) as connection:
        return int(connection.execute("SELECT revision FROM organization").fetchone()[0])


def test_killed_imports_end_in_what_the_file_says(tmp_path: Path) -> None:
    """Each batch is there once, none is half there, and every kill fell into the import."""
    database, file, draw = tmp_path / "bulk.db", tmp_path / "bulk.csv", random.Random(7)
    furnish(database)
    wanted = {(f"p{p}", f"r{r}") for p in range(PRINCIPALS) for r in range(ROLES)}
    lines = "".join(f"{principal},{role}\n" for principal, role in sorted(wanted))
    file.write_text("principal,role\n" + lines)
    environment = bare(GRANTPROOF_DATABASE_URL=str(database), GRANTPROOF_ORG=ACME)
    call = ["assignments", "import", str(file), "--batch", str(BATCH)]
    quiet, told = subprocess.DEVNULL, warm.STANDARD_ERROR
    for _ in range(KILLS):
        before, limit = revision(database), time.monotonic() + PATIENCE_SECONDS
        with warm.Warm(call, env=environment, stdout=quiet, stderr=told) as process:
            while revision(database) == before:
                assert process.poll() is None
                assert time.monotonic() < limit
            time.sleep(draw.uniform(0, 0.05))
            process.kill()
        assert process.returncode != 0
        assert before < revision(database) < 1 + BATCHES
    warm.run(*call, env=environment, timeout=PATIENCE_SECONDS).check_returncode()
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT principal_id, role_id FROM assignment").fetchall()
        (events,) = connection.execute("SELECT count(*) FROM event WHERE revision > 1").fetchone()
    assert (len(rows), set(rows), events) == (len(wanted), wanted, BATCHES)
    warm.run("db", "replay", "--check", env=environment).check_returncode()
