"""The empty database that something is measured on."""

import os
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def add_database(parser: ArgumentParser) -> None:
    """Let the command line say which database: `database` takes what it says."""
    parser.add_argument(
        "--database",
        default="sqlite",
        help="sqlite: a new file; postgresql: a server of its own; or an address of an empty one",
    )


@contextmanager
def database(wanted: str) -> Iterator[str]:
    """Yield the address of an empty database: a new SQLite file, a server's, or the one given."""
    if wanted == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'bench.db'}"
    elif wanted == "postgresql":
        from tests.postgresql import running_server  # noqa: PLC0415 - the others need no server

        # As the tests start it, but for what makes a commit last.
        durable = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB"}
        with running_server(**durable) as server, tempfile.TemporaryDirectory() as folder:
            key = Path(folder) / "audit-key"
            key.write_text(os.urandom(32).hex() + "\n", encoding="ascii")
            key.chmod(0o600)
            os.environ["GRANTPROOF_AUDIT_KEY_FILE"] = str(key)
            yield server.address(server.create())
    else:
        yield wanted
