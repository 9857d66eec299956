"""Who may do what in the application: one table, in front of every view.

Flask, Django and the rest are WSGI applications; the guard stands between them and the server, so
that a view that nobody thought of is refused, not open.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grantproof.client import Client, DirectDecider, Engine
from grantproof.client.routes import Open, Routes, Rule
from grantproof.client.wsgi import Guard

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ROUTES = Routes(
    (
        Open("GET", "/"),
        Rule("GET", "/notes/{name}", "read", "notes/{name}"),
        Rule("PUT", "/notes/{name}", "write", "notes/{name}"),
    )
)


def decider() -> DirectDecider:
    """Return what decides: the policy beside this file, or a service, if one is named."""
    address = os.environ.get("GRANTPROOF_SERVER")
    if address is None:
        return Engine.from_file(Path(__file__).with_name("policy.yaml"))
    return Client(address, os.environ.get("GRANTPROOF_KEY"), organization="notes")


def principal(environment: dict[str, Any]) -> str | None:
    """Return who asks. Here a header says so: put your own login in its place."""
    name = environment.get("HTTP_X_USER")
    return None if name is None else str(name)


def guarded(application: "WSGIApplication") -> Guard:
    """Return the application behind the guard."""
    return Guard(application, decider=decider(), routes=ROUTES, principal=principal)
