"""What an application installs to ask: clients of the HTTP service, and an embedded engine.

What is not used is not imported: `Client` and `AsyncClient` take httpx2 and nothing of the service,
`Engine` takes what decides. `grantproof.client.fastapi`, `.asgi` and `.wsgi` guard
applications with any of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from grantproof.client.questions import Question, Said
from grantproof.client.results import (
    Allow,
    CallerError,
    Change,
    Changed,
    Decision,
    Deny,
    Finding,
    Rejected,
    Told,
    Unanswered,
    Undetermined,
)

if TYPE_CHECKING:
    from grantproof.client.asynchronous import AsyncClient, Options, Terms
    from grantproof.client.deciders import Decider, DirectDecider
    from grantproof.client.deciding import Decisions, Row
    from grantproof.client.engine import Engine, PolicyError
    from grantproof.client.memory import Cache
    from grantproof.client.synchronous import Client

__all__ = [
    "Allow",
    "AsyncClient",
    "Cache",
    "CallerError",
    "Change",
    "Changed",
    "Client",
    "Decider",
    "Decision",
    "Decisions",
    "Deny",
    "DirectDecider",
    "Engine",
    "Finding",
    "Options",
    "PolicyError",
    "Question",
    "Rejected",
    "Row",
    "Said",
    "Terms",
    "Told",
    "Unanswered",
    "Undetermined",
]

LATER: Final = {
    "AsyncClient": "asynchronous",
    "Cache": "memory",
    "Client": "synchronous",
    "Decider": "deciders",
    "Decisions": "deciding",
    "DirectDecider": "deciders",
    "Engine": "engine",
    "Options": "asynchronous",
    "PolicyError": "engine",
    "Row": "deciding",
    "Terms": "asynchronous",
}
"""The module of each name that is imported when it is first used."""


def __getattr__(name: str) -> object:
    if name not in LATER:
        message = f"module `{__name__}` has no attribute `{name}`"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{LATER[name]}"), name)
