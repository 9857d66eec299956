"""A database of a PostgreSQL server: looked at before it is touched, then made or migrated."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    ForeignKeyConstraint,
    Table,
    and_,
    create_engine,
    event,
    exists,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from grantproof.adapters.sql import audit_keys
from grantproof.adapters.sql.addresses import name_of
from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.failures import RESTORE, store_errors
from grantproof.adapters.sql.migrations import KNOWN
from grantproof.adapters.sql.notices import PostgresqlNotices
from grantproof.adapters.sql.rows import Row
from grantproof.adapters.sql.schema import (
    absent,
    belongs_to_another,
    migrate,
    reading_version,
    recognized,
)
from grantproof.adapters.sql.sqlstates import leaves_open
from grantproof.service.audit_chain import AuditKey
from grantproof.service.ports import StoreUncertain, StoreUnusable

VERSIONS: Final = "grantproof_version"
"""Where Alembic keeps the version of the schema; by its name our database is recognized."""

MIGRATION_LOCK: Final = int.from_bytes(b"GPRF", "big")
"""The advisory lock of whoever changes the schema."""

POOL_CONNECTIONS: Final = 5
POOL_OVERFLOW: Final = 5
"""How many connections a process keeps, and how many more it opens when they are all busy."""

WAIT_SECONDS_MAX: Final = 5
"""How long to wait for a connection, for the server to answer it, and for another's lock."""

STATEMENT_SECONDS_MAX: Final = 60
IDLE_SECONDS_MAX: Final = 60
"""How long a transaction may do nothing, so that a halted process does not hold up the others."""

CONNECT: Final = {
    "application_name": "grantproof",
    "connect_timeout": WAIT_SECONDS_MAX,
    # A server that is gone without a word is noticed in half a minute, not in two hours.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""What an address may say otherwise."""

SETTINGS: Final = {
    "timezone": "UTC",
    "statement_timeout": f"{STATEMENT_SECONDS_MAX}s",
    "lock_timeout": f"{WAIT_SECONDS_MAX}s",
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS_MAX}s",
}

# A commit is on the disk when it returns; a server that promises more keeps doing so.
DURABLE: Final = """
    CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END
"""
SET_UP: Final = ", ".join(
    (
        *(f"set_config('{name}', '{value}', false)" for name, value in SETTINGS.items()),
        f"set_config('synchronous_commit', {DURABLE}, false)",
    )
)

AS_READER: Final = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""All that a transaction reads is of the instant of its first query."""

AS_WRITER: Final = {"isolation_level": "READ COMMITTED"}
"""Enough, because whoever changes an organization first moves the revision of its row.

That UPDATE locks the row. A second writer waits there for the first; then PostgreSQL looks at the
row again as it has become, finds another revision, and changes nothing: the race is lost. So of
each organization one transaction at a time goes on to write, and its later statements see all that
was committed before. A stricter level would only turn the lost race into an error.
"""

COMMITTING: Final = "grantproof_committing"

NAMES: Final = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT EXISTS (
          SELECT FROM pg_depend
          WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
      )
    UNION ALL
    SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal AND tgenabled <> 'D'
""")
"""Our tables and switched-on triggers, and other programs' tables; not those of extensions."""

CONSTRAINTS: Final = text("""
    SELECT relname, conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE relnamespace = current_schema()::regnamespace AND convalidated
""")
INDEXES: Final = text("""
    SELECT tables.relname, indexes.relname FROM pg_index
    JOIN pg_class AS indexes ON indexes.oid = indexrelid
    JOIN pg_class AS tables ON tables.oid = indrelid
    WHERE tables.relnamespace = current_schema()::regnamespace AND indisvalid AND indisready
""")
SWITCHED_OFF: Final = text("""
    SELECT DISTINCT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = current_schema()::regnamespace AND tgenabled = 'D'
""")


def opened(address: URL, *, create: bool, key_file: Path | None) -> Connections:
    """Return the ways into the database, its schema up to date.

    The database itself must be there; its tables are made, or without `create` must be there too.
    The key is never made: every process on the database needs the same.
    """
    place = name_of(address)
    if key_file is None:
        raise StoreUnusable(
            f"the database `{place}` needs an audit key: name its file with {audit_keys.SETTING},"
            " make one with `openssl rand -hex 32`"
        )
    key = audit_keys.obtain(key_file, create=False)
    with store_errors(place):
        engine = open_engine(address)
        found = Connections(
            place,
            engine.execution_options(**AS_READER),
            engine.execution_options(**AS_WRITER),
            damage,
            key,
            reading_version(VERSIONS),
            notices=PostgresqlNotices(_notifying_engine(address)),
        )
        try:
            with found.readers.connect() as connection:
                version = _version(place, connection)
            if version is None and not create:
                raise absent(place)
            if version != KNOWN[-1]:
                _migrate(place, found.writers, key)
            with found.readers.connect() as connection:
                audit_keys.check(connection, key, file=key_file)
        except BaseException:
            engine.dispose()
            raise
    return found


def open_engine(address: URL) -> Engine:
    """Return connections to the server, each set up to keep what a store promises."""
    return _engine(
        address,
        # A connection that broke while nobody used it is replaced before anybody does.
        pool_pre_ping=True,
        pool_size=POOL_CONNECTIONS,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=WAIT_SECONDS_MAX,
    )


def _notifying_engine(address: URL) -> Engine:
    """Return what opens connections that nobody else waits for."""
    return _engine(address, poolclass=NullPool).execution_options(isolation_level="AUTOCOMMIT")


def _engine(address: URL, **pool: Any) -> Engine:
    told = {name: value for name, value in CONNECT.items() if name not in address.query}
    try:
        engine = create_engine(
            address,
            connect_args={**told, "client_encoding": "utf8"},
            **pool,
            hide_parameters=True,
            use_native_hstore=False,
        )
    except ImportError as error:
        raise StoreUnusable(
            "PostgreSQL needs the package psycopg: pip install 'grantproof[postgres]'"
        ) from error
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "checkin", _given_back)
    event.listen(engine, "begin", _begun)
    event.listen(engine, "commit", _committing)
    event.listen(engine, "handle_error", _failed)
    return engine


def damage(connection: Connection) -> Iterator[str]:
    """Yield what is wrong with the tables: guards that are off, references to what is not there.

    Every row is read, so that the server finds what its disk has spoilt and raises it.
    """
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    guards = {*_pairs(connection, CONSTRAINTS), *_pairs(connection, INDEXES)}
    for rows in Row.metadata.sorted_tables:
        for name in sorted(_guards(rows)):
            if (rows.name, name) not in guards:
                yield f"table `{rows.name}` lacks `{name}`, or it is not enforced"
    for name in sorted(connection.execute(SWITCHED_OFF).scalars()):
        yield f"triggers of table `{name}` are switched off"
    for rows in Row.metadata.sorted_tables:
        whole_row: ColumnElement[str] = literal_column(f'"{rows.name}"::text')
        connection.execute(select(func.sum(func.length(whole_row))).select_from(rows))
        for reference in rows.foreign_key_constraints:
            if connection.execute(select(_dangles(rows, reference))).scalar_one():
                there = reference.referred_table.name
                yield f"table `{rows.name}` refers to a missing row of `{there}`"


def _pairs(connection: Connection, query: Any) -> set[tuple[str, str]]:
    return {(rows, name) for rows, name in connection.execute(query)}


def _guards(rows: Table) -> Iterator[str]:
    """Yield the names of what keeps a table in order; that of a key is PostgreSQL's own."""
    yield f"{rows.name}_pkey"
    yield from (str(guard.name) for guard in rows.constraints if guard.name is not None)
    yield from (str(index.name) for index in rows.indexes)


def _dangles(rows: Table, reference: ForeignKeyConstraint) -> Any:
    """Return whether some row refers to one that is not there; a null refers to nothing."""
    there = reference.referred_table.alias()
    pairs = [(element.parent, there.c[element.column.name]) for element in reference.elements]
    found = exists().where(and_(*(here == wanted for here, wanted in pairs)))
    told = [here.is_not(None) for here, _ in pairs if here.nullable]
    return exists().select_from(rows).where(*told, ~found.correlate(rows))


def _version(place: str, connection: Connection) -> str | None:
    """Return the version of the schema, or nothing when there is no table yet."""
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise StoreUnusable(
            f"the database `{place}` keeps text as `{encoding}`: create one with encoding UTF8"
        )
    names = set(connection.execute(NAMES).scalars())
    if len(names) == 0:
        return None
    if VERSIONS not in names:
        if names.issuperset(Row.metadata.tables):
            raise StoreUnusable(f"the database `{place}` lacks its schema version: {RESTORE}")
        raise belongs_to_another(place, instead="database")
    return recognized(place, names, list(connection.execute(reading_version(VERSIONS)).scalars()))


def _migrate(place: str, writers: Engine, key: AuditKey) -> None:
    """Bring the schema to the last version, all or nothing; another process waits meanwhile."""
    with writers.begin() as connection:
        # For another that migrates everybody waits as long as it takes; for a writer they do not.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_SECONDS_MAX}s'"))
        if _version(place, connection) == KNOWN[-1]:
            return
        _lock_tables(connection)
        migrate(connection, key, versions=VERSIONS)


def _lock_tables(connection: Connection) -> None:
    """Wait for every transaction that is under way in our tables, and let none begin.

    Without this a version that copies a table would miss what is committed while it copies. The
    version comes first, as in every transaction; then each table after those to which it refers.
    """
    there = set(connection.execute(NAMES).scalars())
    ours = (VERSIONS, *(rows.name for rows in Row.metadata.sorted_tables))
    names = ", ".join(f'"{name}"' for name in ours if name in there)
    if names:
        connection.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))


def _set_up(connection: Any, _: ConnectionPoolEntry) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {SET_UP}")
    connection.commit()


def _given_back(connection: Any, _: ConnectionPoolEntry) -> None:
    # Neither demand writing nor forbid it, so that a writer meets a server that only reads.
    if connection is not None:
        connection.read_only = None


def _begun(connection: Connection) -> None:
    connection.info[COMMITTING] = False


def _committing(connection: Connection) -> None:
    connection.info[COMMITTING] = True


def _failed(context: ExceptionContext) -> None:
    """Tell a commit whose answer was lost from one that was refused: it may have been made."""
    connection = context.connection
    if connection is None or connection.closed or not connection.info.get(COMMITTING, False):
        return
    if context.is_disconnect or leaves_open(context.original_exception):
        raise StoreUncertain(
            f"the database `{name_of(connection.engine.url)}` was lost while it committed, so the"
            " change was made or not: look before trying again"
        )
