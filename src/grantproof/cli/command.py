"""What every command shares: the global options, an operator to act through, errors as one line.

`command` is how a function becomes a command. The function is given an `Operator` first, never sees
the global options, and may raise any error that is expected of the product. A parameter whose type
is a dataclass stands for the options that are its fields.
"""

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any, Concatenate, Final, ParamSpec

import typer

from grantproof.cli.completing import names_of, with_completion
from grantproof.cli.examples import epilog_of
from grantproof.cli.exits import ExitCode, Stop, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import complain, tell_json, tell_tree
from grantproof.cli.version import tell_version

P = ParamSpec("P")

SERVER: Final = "GRANTPROOF_SERVER"

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="PLACE",
        help=(
            "The database: a SQLite file, or a postgresql:// address."
            " Default: GRANTPROOF_DATABASE_URL, or grantproof.db."
        ),
    ),
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        help=(
            "A server to ask, in place of a database, with the key in GRANTPROOF_KEY."
            " Default: GRANTPROOF_SERVER."
        ),
    ),
]
KeyFile = Annotated[
    str | None,
    typer.Option(
        "--key-file", metavar="FILE", help="The key for --server. Default: GRANTPROOF_KEY_FILE."
    ),
]
Insecure = Annotated[
    bool,
    typer.Option("--insecure", help="Send the key to --server unencrypted, for all to read."),
]
Organization = Annotated[
    str | None,
    typer.Option(
        "--org",
        metavar="ORG",
        autocompletion=names_of("organization"),
        help="The organization. Default: GRANTPROOF_ORG.",
    ),
]
Reason = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Why a change is made: its event keeps it."),
]
Version = Annotated[
    bool,
    typer.Option(
        "--version",
        is_eager=True,
        callback=tell_version,
        expose_value=False,
        help="Tell which version this is, and the digest of the rules that it decides by.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.")]


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options that every command takes, before its name or after it."""

    database: str | None = None
    organization: str | None = None
    json: bool = False
    reason: str | None = None
    server: str | None = None
    key_file: str | None = None
    insecure: bool = False

    def overridden_by(self, later: "GlobalOptions") -> "GlobalOptions":
        """Return these options where `later` says nothing, else what it says."""
        return GlobalOptions(
            _later(later.database, self.database),
            _later(later.organization, self.organization),
            later.json or self.json,
            _later(later.reason, self.reason),
            _later(later.server, self.server),
            _later(later.key_file, self.key_file),
            later.insecure or self.insecure,
        )

    def operator(self) -> Operator:
        """Return through what the command acts: a database, or a server; raises `Stop`.

        What the command line says goes before the environment, and there a server before a
        database.
        """
        if self.server is not None and self.database is not None:
            raise usage("--server and --database are two places to act on: name one")
        address = self.server
        if self.database is None and address is None:
            address = os.environ.get(SERVER) or None
        if address is None:
            return self._local()
        return self._remote(address)

    def _local(self) -> Operator:
        from grantproof.cli.local import LocalOperator

        if self.key_file is not None or self.insecure:
            raise usage("--key-file and --insecure go with --server, or with GRANTPROOF_SERVER")
        return LocalOperator(self.database, self.organization, json=self.json, reason=self.reason)

    def _remote(self, address: str) -> Operator:
        from grantproof.cli.remote import RemoteOperator
        from grantproof.cli.remote_http import Server as RemoteServer
        from grantproof.cli.remote_keys import presented_key

        server = RemoteServer(address, presented_key(self.key_file), insecure=self.insecure)
        return RemoteOperator(server, self.organization, json=self.json, reason=self.reason)


def _later(later: str | None, before: str | None) -> str | None:
    # What is empty is said too: a script whose variable is not set means nothing else by it.
    return before if later is None else later


def before_the_command(
    context: typer.Context,
    *,
    database: Database = None,
    org: Organization = None,
    json: Json = False,
    reason: Reason = None,
    server: Server = None,
    key_file: KeyFile = None,
    insecure: Insecure = False,
    version: Version = False,  # noqa: ARG001 - told by its callback, before anything is done
) -> None:
    """Remember the global options that stand before the command."""
    context.obj = GlobalOptions(database, org, json, reason, server, key_file, insecure)


def group(description: str) -> typer.Typer:
    """Return an empty group of commands."""
    return typer.Typer(help=description, rich_markup_mode=None)


def command(
    app: typer.Typer, name: str | None = None
) -> Callable[[Callable[Concatenate[Operator, P], None]], Callable[Concatenate[Operator, P], None]]:
    """Let a function be a command of `app`, under its own name or the one given."""

    def register(
        function: Callable[Concatenate[Operator, P], None],
    ) -> Callable[Concatenate[Operator, P], None]:
        app.command(name, epilog=epilog_of(function))(_with_global_options(function))
        return function

    return register


def _with_global_options(function: Callable[..., None]) -> Callable[..., None]:
    own = list(inspect.signature(function).parameters.values())[1:]
    bundles: dict[str, Any] = {
        one.name: one.annotation for one in own if is_dataclass(one.annotation)
    }

    @functools.wraps(function)
    def run(context: typer.Context, **given: Any) -> None:
        here = GlobalOptions(
            organization=given.pop("org"),
            **{one.name: given.pop(one.name) for one in GLOBAL if one.name != "org"},
        )
        for name, bundle in bundles.items():
            given[name] = bundle(**{one.name: given.pop(one.name) for one in fields(bundle)})
        before = context.find_root().obj
        options = before.overridden_by(here) if isinstance(before, GlobalOptions) else here
        with expected_errors(json=options.json), options.operator() as operator:
            function(operator, **given)

    parameters = [CONTEXT, *_unbundled(own), *GLOBAL]
    for one in parameters:
        with_completion(one.annotation)
    # How a function says that it takes other parameters than it seems to.
    told: Any = run
    told.__signature__ = inspect.Signature(parameters)
    told.__annotations__ = {one.name: one.annotation for one in parameters}
    del told.__wrapped__
    return run


def _unbundled(parameters: list[inspect.Parameter]) -> Iterator[inspect.Parameter]:
    """Yield the parameters, all by keyword, with those that bundle others as the others."""
    for one in parameters:
        if is_dataclass(one.annotation):
            for part in fields(one.annotation):
                required = part.default is MISSING
                default = inspect.Parameter.empty if required else part.default
                yield _keyword(part.name, part.type, default)
        else:
            yield one.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def _keyword(name: str, annotation: object, default: object) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, annotation=annotation, default=default)


CONTEXT: Final = inspect.Parameter(
    "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
)
GLOBAL: Final = (
    _keyword("database", Database, None),
    _keyword("org", Organization, None),
    _keyword("json", Json, default=False),
    _keyword("reason", Reason, None),
    _keyword("server", Server, None),
    _keyword("key_file", KeyFile, None),
    _keyword("insecure", Insecure, default=False),
)


@contextmanager
def expected_errors(*, json: bool) -> Iterator[None]:
    """Turn every error that is expected into its line on the standard error and its exit code."""
    try:
        yield
    except Stop as stop:
        end = stop
    except Exception as error:
        translated = _translated(error)
        if translated is None:
            raise
        end = translated
    else:
        return
    for line in end.lines:
        complain(line)
    if json and end.document is not None:
        tell_json(end.document)
    elif end.tree is not None and sys.stderr.isatty():
        tell_tree(end.tree, err=True)
    raise typer.Exit(end.code)


def _translated(error: Exception) -> Stop | None:
    """Return how a command ends on the error, or nothing when the error is a defect."""
    from grantproof.core.errors import Illegal
    from grantproof.service.ports import StoreError, StoreMissing

    match error:
        case Illegal():
            return Stop(ExitCode.USAGE, str(error))
        case StoreMissing():
            return Stop(ExitCode.UNDETERMINED, f"{error} with --database")
        case StoreError():
            return Stop(ExitCode.UNDETERMINED, str(error))
        case _:
            return None
