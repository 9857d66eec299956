"""The example for Flask: every view of it stands behind the guard, and the guard decides.

Flask itself is no dependency of ours. The guard speaks WSGI, so a stand-in that routes as little as
the example takes shows the same; where Flask is installed the example runs on it.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from types import ModuleType, SimpleNamespace
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

HAS_FLASK = importlib.util.find_spec("flask") is not None
View = Callable[..., str]


class StandIn:
    """As much of `flask.Flask` as the example takes: rules of paths, and WSGI."""

    def __init__(self, _name: str) -> None:
        self.views: dict[tuple[str, str], View] = {}
        self.wsgi_app: Callable[..., Any] = self.route

    def add_url_rule(
        self, rule: str, *, view_func: View, endpoint: str = "", methods: tuple[str, ...] = ("GET",)
    ) -> None:
        """Note a view."""
        del endpoint
        self.views |= {(method, rule): view_func for method in methods}

    def route(self, environment: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        """Answer with a view, or that there is none."""
        folder, _, name = environment["PATH_INFO"].rpartition("/")
        rule = f"{folder}/<name>" if name else "/"
        view = self.views.get((environment["REQUEST_METHOD"], rule))
        start_response("404 Not Found" if view is None else "200 OK", [])
        REQUEST.data = environment["wsgi.input"].read().decode()
        return [b"" if view is None else view(*([name] if name else [])).encode()]


REQUEST = SimpleNamespace(data="", get_data=lambda **_: REQUEST.data)


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """The example's application."""
    monkeypatch.delenv("GRANTPROOF_SERVER", raising=False)
    if not HAS_FLASK:
        stand_in: Any = ModuleType("flask")
        stand_in.Flask, stand_in.request = StandIn, REQUEST
        monkeypatch.setitem(sys.modules, "flask", stand_in)
    monkeypatch.delitem(sys.modules, "examples.flask_app.app", raising=False)
    from examples.flask_app.app import create_app  # noqa: PLC0415 - after the stand-in

    app: Any = create_app()
    yield app.wsgi_app
    monkeypatch.delitem(sys.modules, "examples.flask_app.app")


def ask(application: Callable[..., Any], line: str, user: str | None, body: bytes = b"") -> Any:
    """The status and the body of the answer."""
    method, _, path = line.partition(" ")
    environment: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "wsgi.input": BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
    }
    setup_testing_defaults(environment)
    if user is not None:
        environment["HTTP_X_USER"] = user
    started: list[str] = []
    told = b"".join(application(environment, lambda status, _headers, *_: started.append(status)))
    return int(started[0].split()[0]), told.decode()


def test_the_policy_decides_over_the_views(application: Callable[..., Any]) -> None:
    """The reader reads, the writer writes, and nobody else is anybody."""
    assert ask(application, "GET /", None) == (200, "notes are at /notes/NAME")
    assert ask(application, "GET /notes/plan", "bob") == (200, "first this, then that")
    assert ask(application, "PUT /notes/plan", "bob", b"mine")[0] == 403
    assert ask(application, "GET /notes/plan", "bob")[1] == "first this, then that"
    assert ask(application, "PUT /notes/plan", "ann", b"new") == (200, "new")
    assert ask(application, "GET /notes/plan", None)[0] == 401
    assert ask(application, "GET /notes/plan", "eve")[0] == 403
    assert ask(application, "GET /notes/other", "ann")[0] == 403
    assert ask(application, "DELETE /notes/plan", "ann")[0] == 403
    assert ask(application, "GET /elsewhere", "ann")[0] == 403
