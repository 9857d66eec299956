"""A command line on a database, and the same on a server of a copy of it, side by side."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx2
import pytest
from starlette.testclient import TestClient

from grantproof.api import access_log
from grantproof.api.app import Application
from grantproof.cli import remote_http
from grantproof.cli.main import main
from grantproof.service.authors import Author
from grantproof.service.callers import EVERY_SCOPE
from grantproof.service.keyring import KeyRequest, NewKey
from grantproof.settings import Settings
from tests.unit.cli.conftest import Ended

ADDRESS: Final = "http://localhost:9090"
OPERATORS: Final = KeyRequest(None, None, EVERY_SCOPE)

VARYING: Final = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "MOMENT"),
    (
        re.compile(r'"(decided_at|asked_at|instant|created_at|expires_at|valid_until)": \d+'),
        r'"\1"',
    ),
    (re.compile(r"os:[^\s\",]+|key:[0-9a-f]{12}"), "ACTOR"),
    (re.compile(r"gp_[0-9a-f]{12}_\S+"), "KEY"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "PREFIX"),
)
"""What two runs of one command tell differently: when, by whom, and what is drawn at random."""


def alike(text: str) -> str:
    """The text without what varies."""
    for pattern, same in VARYING:
        text = pattern.sub(same, text)
    return text


@contextmanager
def served(database: Path, patch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A server of the database, in process: where every command that names one arrives."""
    settings = Settings(database_url=str(database), follow_seconds=0.05, contracts_state_seconds=0)
    # What a server logs stands where the command prints.
    patch.setattr(access_log, "tell", lambda *_, **__: None)
    with TestClient(Application(settings), base_url=ADDRESS) as api:
        real = remote_http.client_to

        def inside(address: str, key: str | None) -> httpx2.Client:
            headers = real(address, key).headers
            through = api._transport  # noqa: SLF001 - the way to the application
            return httpx2.Client(base_url=address, headers=headers, transport=through)

        patch.setattr(remote_http, "client_to", inside)
        yield api


def new_key(api: TestClient, wanted: KeyRequest = OPERATORS) -> str:
    """The text of a new key of the server."""
    app = api.app
    assert isinstance(app, Application)
    made = app.administration.state.running.services.keyring.create(wanted, by=Author("other"))
    assert isinstance(made, NewKey), made
    return made.text


class Pair:
    """Runs each command on the database and on the server, and holds one to the other."""

    def __init__(self, here: Path, capsys: pytest.CaptureFixture[str], key: str) -> None:
        self._here = here
        self._capsys = capsys
        self._key = key

    def local(self, *arguments: str) -> Ended:
        """The command on the database."""
        return self._ended("--database", str(self._here), *arguments)

    def remote(self, *arguments: str) -> Ended:
        """The command on the server."""
        os.environ["GRANTPROOF_KEY"] = self._key
        try:
            return self._ended("--server", ADDRESS, *arguments)
        finally:
            os.environ.pop("GRANTPROOF_KEY", None)

    def both(self, *arguments: str, same: Callable[[str], str] = alike) -> Ended:
        """The command on both, which end alike."""
        here, there = self.local(*arguments), self.remote(*arguments)
        told = [(one.code, same(one.out), same(one.err)) for one in (there, here)]
        assert told[0] == told[1], f"{arguments}\nthere: {told[0]}\nhere:  {told[1]}"
        return there

    def _ended(self, *arguments: str) -> Ended:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        captured = self._capsys.readouterr()
        return Ended(int(stopped.value.code or 0), captured.out, captured.err)
