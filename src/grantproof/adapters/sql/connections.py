"""What a store needs of its database, whichever it is."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, Select

from grantproof.adapters.sql.failures import store_errors
from grantproof.adapters.sql.notices import Notices, Silence
from grantproof.adapters.sql.schema import check_current
from grantproof.service.audit_chain import AuditKey


@dataclass(frozen=True, slots=True)
class Connections:
    """The ways into a database that is ready for use.

    `place` names it in messages. What one transaction of `readers` sees is of one instant. Of
    `writers` that change an organization's row first, one at a time goes on. `damage` yields what
    the database itself finds wrong, a line each. Events are sealed under `key`. `version` reads
    which schema there is, `notices` carries word of changes to other processes, and a writer waits
    for its `turn`, where the database itself is not fair to those who wait.
    """

    place: str
    readers: Engine
    writers: Engine
    damage: Callable[[Connection], Iterator[str]]
    key: AuditKey
    version: Select[str]
    notices: Notices = field(default_factory=Silence, kw_only=True)
    turn: Callable[[], AbstractContextManager[None]] = field(default=nullcontext, kw_only=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection to read with; raises `StoreError`."""
        with store_errors(self.place), self.readers.connect() as connection:
            self._check_version(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose work is undone unless it is committed inside."""
        with store_errors(self.place), self.turn(), self.writers.connect() as connection:
            self._check_version(connection)
            yield connection

    def _check_version(self, connection: Connection) -> None:
        """Raise `StoreUnusable` when the schema is no longer the one that this program knows.

        INVARIANT: the first look of every transaction. Whoever migrates waits for those that have
        looked, and those that have not looked yet wait for whoever migrates.
        """
        check_current(self.place, connection.execute(self.version).scalars().all())

    def dispose(self) -> None:
        """Close every connection; those of readers and writers are the same."""
        self.notices.close()
        self.readers.dispose()
