"""Copying a database of one file while others use it, and putting a copy back: `db backup` and so.

A copy is checked entirely before it takes the place of anything.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.exits import ExitCode, Stop, usage
from grantproof.cli.findings import differences, every_organization, findings
from grantproof.cli.operator import Operator
from grantproof.cli.output import tell, tell_json

if TYPE_CHECKING:
    from grantproof.service.ports import OrganizationSummary
    from grantproof.settings import Settings

To = Annotated[Path, typer.Argument(metavar="FILE", help="The file to make; it must not be there.")]
From = Annotated[Path, typer.Argument(metavar="FILE", help="What `db backup` made.")]
Replace = Annotated[
    bool, typer.Option("--replace", help="Give up the database that is in place, if there is one.")
]


def back_up(operator: Operator, file: To) -> None:
    """Copy a SQLite database as of one moment, while servers go on. The audit key is not in it."""
    from grantproof import bootstrap

    settings = operator.settings
    database = _file_of(settings)
    key = bootstrap.audit_key_file(settings)
    try:
        with _terminated_in_order():
            bootstrap.back_up(database, file)
    except FileExistsError:
        raise Stop(ExitCode.NO, f"the file `{file}` exists: name another, it is kept") from None
    if operator.json:
        tell_json(
            {
                "outcome": "copied",
                "database": str(database),
                "file": str(file),
                "bytes": file.stat().st_size,
                "audit_key_file": str(key),
            }
        )
    else:
        tell(f"copied `{database}` to `{file}`, as of one moment")
        tell(f"the audit key is not in it: back up `{key}` too, and keep it apart from the copy")


def restore(operator: Operator, file: From, *, replace: Replace = False) -> None:
    """Put a copy in the place of the database, after checking all of it. Nobody may be using it."""
    from grantproof import bootstrap
    from grantproof.service.ports import StoreUnusable

    settings = operator.settings
    database = _file_of(settings)
    if not file.exists():
        raise usage(f"there is no file `{file}`")
    try:
        with (
            _terminated_in_order(),
            bootstrap.draft_of(file, database, replace=replace) as draft,
        ):
            found = _checked(bootstrap.pointed_at(settings, draft))
            bootstrap.put_in_place(draft, database, replace=replace)
    except FileExistsError:
        line = f"there is a database at `{database}`: say --replace to give it up"
        raise Stop(ExitCode.NO, line) from None
    except StoreUnusable as error:
        raise Stop(ExitCode.NO, f"nothing was restored: {error}") from None
    if operator.json:
        tell_json(
            {
                "outcome": "restored",
                "database": str(database),
                "file": str(file),
                "organizations": [{"id": one.id, "revision": one.revision} for one in found],
            }
        )
    else:
        tell(f"restored `{database}` from `{file}`: {len(found)} organizations, checked")
        tell("what happened after the copy is not in it: revoke again what was revoked since")


@contextmanager
def _terminated_in_order() -> Iterator[None]:
    """Let whoever terminates us do what Ctrl-C does: else a whole copy stays, under no name."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _file_of(settings: "Settings") -> Path:
    from grantproof import bootstrap

    database = bootstrap.database_file(settings)
    if database is None:
        raise usage(
            "a server's database is copied and restored by the server's own tools:"
            " `pg_dump`, or `pg_basebackup` and WAL archiving"
        )
    return database


def _checked(settings: "Settings") -> "list[OrganizationSummary]":
    """Return the organizations of a copy in which nothing is wrong; raises `Stop`."""
    from grantproof import bootstrap

    services = bootstrap.compose(settings, create=False)
    try:
        audit = services.audit
        if audit is None:
            raise usage("this store seals no events: there is nothing to check it by")
        lines = findings(services, audit).lines
        for name in () if lines else audit.organizations():
            lines += differences(audit, name)
        if lines:
            raise Stop(ExitCode.NO, "nothing was restored: the copy is not whole", *lines)
        return list(every_organization(services.store))
    finally:
        services.close()
