"""`grantproof serve`: the HTTP service, in this process or in several workers of it.

What can go wrong at the start is looked at before the server starts: the address, the port and the
database. Settings reach the application through the environment, as they would under any server.
"""

import contextlib
import os
import signal
import socket
import warnings
from collections.abc import Set as AbstractSet
from errno import EACCES, EADDRINUSE
from typing import TYPE_CHECKING, Annotated, Final

import typer

from grantproof.cli.exits import ExitCode, Stop, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import printable, tell, tell_json

if TYPE_CHECKING:
    from grantproof.settings import Settings

WAITING_CONNECTIONS_MAX: Final = 2_048

Demo = Annotated[
    bool, typer.Option("--demo", help="Serve the organization acme to try things out.")
]
Host = Annotated[
    str | None,
    typer.Option(
        "--host", metavar="ADDRESS", help="Where to listen. Default: GRANTPROOF_HOST, or 127.0.0.1."
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="PORT", help="On which port. Default: GRANTPROOF_PORT, or 9090."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", metavar="COUNT", help="How many processes. Default: GRANTPROOF_WORKERS, or 1."
    ),
]
PrintConfig = Annotated[
    bool,
    typer.Option("--print-config", help="Print every setting, secrets masked, and start nothing."),
]


def serve(
    operator: Operator,
    *,
    demo: Demo = False,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    print_config: PrintConfig = False,
) -> None:
    """Start the service."""
    from grantproof.service.collector import collector_paused

    given = {
        "demo": demo or None,
        "host": host,
        "port": port,
        "workers": workers,
    }
    # What is loaded to serve stays, so there is no garbage to look for in it.
    with collector_paused():
        from grantproof.bootstrap import why_read_only
        from grantproof.cli.unknown_settings import tell_unknown_settings

        settings = operator.settings_with(given)
    tell_unknown_settings()
    if print_config:
        flags = {name for name, value in given.items() if value is not None}
        show_settings(settings, flags | operator.flags, json=operator.json)
        return
    check_address(settings)
    check_report(settings)
    check_traces()
    with listening(settings.host, settings.port) as listener:
        with collector_paused():
            if settings.workers == 1:
                from grantproof.cli.server import load_application

                load_application()
            keyless = _is_keyless(settings)
        announce(settings, keyless=keyless is True, read_only=why_read_only(settings))
        os.environ.update(environment(settings))
        if settings.workers == 1:
            _run(listener, settings)
        else:
            from grantproof.cli.supervisor import supervise

            supervise(listener, settings, prepared=keyless is not None)


def check_address(settings: "Settings") -> None:
    """Raise `Stop` when others could reach the demo, which asks nobody who they are."""
    from grantproof.settings import is_loopback

    if settings.demo and not is_loopback(settings.host):
        line = f"the demo is for this machine only, `{settings.host}` is not: leave --host out"
        raise usage(line)


def check_report(settings: "Settings") -> None:
    """Raise `Stop` when the report of the verification cannot be read, or is none."""
    from grantproof.adapters.verification import verification
    from grantproof.service.ports import StoreUnusable

    try:
        verification(settings.verification_report)
    except StoreUnusable as error:
        raise usage(f"GRANTPROOF_VERIFICATION_REPORT: {error}") from None


def show_settings(settings: "Settings", flags: AbstractSet[str], *, json: bool) -> None:
    """Print each setting, its value, and whether a flag, the environment or nobody gave it."""
    from grantproof.bootstrap import shown_settings

    origins = dict.fromkeys(type(settings).model_fields, "default")
    origins |= dict.fromkeys(settings.model_fields_set, "environment")
    origins |= dict.fromkeys(flags, "flag")
    shown = shown_settings(settings)
    if json:
        tell_json(
            {
                f"GRANTPROOF_{name.upper()}": {"value": shown[name], "from": origin}
                for name, origin in origins.items()
            }
        )
        return
    for name, origin in origins.items():
        tell(f"GRANTPROOF_{name.upper()}={printable(shown[name])}  # {origin}")


def check_traces() -> None:
    """Raise `Stop` when traces are asked for that cannot be made."""
    from grantproof.bootstrap import check_tracing

    line = check_tracing(os.environ)
    if line is not None:
        raise usage(line)


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; raises `Stop` that says what to do."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise usage(f"the address `{host}` is not known: give another with --host") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(WAITING_CONNECTIONS_MAX)
    except OSError as error:
        listener.close()
        raise usage(_why_not(error, host, port)) from None
    return listener


def environment(settings: "Settings") -> dict[str, str]:
    """Return the settings as environment variables."""
    from grantproof.settings import written_as

    written = settings.model_dump(mode="json")
    return {
        f"GRANTPROOF_{name.upper()}": written_as(value)
        for name, value in written.items()
        if value is not None
    }


def announce(settings: "Settings", *, keyless: bool = False, read_only: str | None = None) -> None:
    """Say where the service listens, what is not as it should be, and in the demo what to try."""
    from grantproof.settings import is_loopback

    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{settings.port}"
    if settings.demo:
        tell(
            "DEMO: loopback only, everybody has the demo's key, bound to `acme`,"
            " callers may supply the context"
        )
    elif not is_loopback(settings.host):
        tell("others can reach this address: let something in front of it encrypt, keys are secret")
    tell(f"grantproof listens on {address}, stop it with Ctrl-C")
    if read_only is not None:
        tell(f"{read_only}; until then decisions are made and every change is refused")
    if keyless:
        tell("there is no key yet, so nobody can ask: `grantproof key create --operator` makes one")
    if settings.demo:
        tell("try next:")
        for line in first_check(address):
            tell(line)
        tell(f"or look at it in a browser: {address}/console")


def first_check(address: str) -> tuple[str, ...]:
    """Return the first thing to try on the demo, to be pasted into another shell."""
    body = (
        '{"org_id":"acme","principal_id":"alice","action":"read","resource_id":"docs",'
        '"hour":10,"region":"us-east-1","usage":0}'
    )
    return (
        f"  curl -s {address}/evaluate -H 'Content-Type: application/json' \\",
        f"    -d '{body}'",
    )


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == EADDRINUSE:
        return f"port {port} is in use: stop the other program or choose another with --port"
    if error.errno == EACCES:
        return f"port {port} needs more rights than this user has: choose one with --port"
    return f"the address `{host}` is not one of this machine: give another with --host"


def _is_keyless(settings: "Settings") -> bool | None:
    """Open the database once, so that what is wrong with it is one line and not a log.

    Return whether it holds no key. A server that cannot be reached now is no reason to stop: then
    nobody knows.
    """
    from grantproof.bootstrap import compose
    from grantproof.service.ports import FileUnavailable, StoreUnavailable

    try:
        with contextlib.closing(compose(settings)) as services:
            services.keyring.look()
            return services.keyring.is_empty()
    except StoreUnavailable as error:
        if not settings.database_is_served or isinstance(error, FileUnavailable):
            raise
        tell("the database cannot be reached yet: until it can, every answer is `not ready`")
        return None


def _run(listener: socket.socket, settings: "Settings") -> None:
    from grantproof.cli.server import Server, configured

    server = Server(configured(settings), drain_seconds=settings.drain_seconds)
    # Being asked to stop, in either way, is no error: the server finishes what it has begun.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Asked before its loop runs, it never begins: that is for nobody to read.
    warnings.filterwarnings("ignore", "coroutine 'Server.serve' was never awaited", RuntimeWarning)
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        if not server.started:
            raise
    if server.started and server.failure is not None:
        raise Stop(ExitCode.UNDETERMINED, server.failure)
    if not server.started:
        raise Stop(ExitCode.UNDETERMINED, "the service could not start: see above")
