"""What a store needs of its database, whichever it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from grantproof.adapters.sql.failures import store_errors
from grantproof.adapters.sql.notices import Notices, Silence
from grantproof.service.audit_chain import AuditKey


@dataclass(frozen=True, slots=True)
class Connections:
    """The ways into a database that is ready for use.

    `place` names it in messages. What one transaction of `readers` sees is of one instant. Of
    `writers` that change an organization's row first, one at a time goes on. `damage` yields what
    the database itself finds wrong, a line each. Events are sealed under `key`, and `notices`
    carries word of them to other processes.
    """

    place: str
    readers: Engine
    writers: Engine
    damage: Callable[[Connection], Iterator[str]]
    key: AuditKey
    notices: Notices = field(default_factory=Silence, kw_only=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection to read with; raises `StoreError`."""
        with store_errors(self.place), self.readers.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose work is undone unless it is committed inside."""
        with store_errors(self.place), self.writers.connect() as connection:
            yield connection

    def dispose(self) -> None:
        """Close every connection; those of readers and writers are the same."""
        self.notices.close()
        self.readers.dispose()
