"""The page on clients shows what happens: its programs run, and print what it says."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from grantproof.adapters.memory import MemoryStore
from tests.api.service import OPERATORS, new_key, serving
from tests.in_process import InProcess

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "clients.md").read_text("utf-8")
BLOCK = re.compile(
    r"^```(python|yaml) (\S+)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL
)


@pytest.fixture
def blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    """Each program with what it prints; the policy is a file where they run."""
    monkeypatch.chdir(tmp_path)
    found = {name: (text, told) for _, name, text, told in BLOCK.findall(PAGE)}
    Path("policy.yaml").write_text(found["policy.yaml"][0])
    return found


def run(text: str, **given: Any) -> tuple[str, dict[str, Any]]:
    """What a program prints, and what it leaves."""
    names: dict[str, Any] = dict(given)
    with redirect_stdout(StringIO()) as printed:
        exec(compile(text, "page", "exec"), names)  # noqa: S102 - the programs of our own page
    return printed.getvalue(), names


def test_the_page_has_these_programs(blocks: dict[str, tuple[str, str]]) -> None:
    """One of each way, side by side, the middleware, and the policy."""
    assert [*blocks] == ["client.py", "app.py", "engine.py", "policy.yaml", "guard.py"]


def test_the_client_of_the_page_is_answered(
    blocks: dict[str, tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the demo, in process."""
    text, told = blocks["client.py"]
    store, real = MemoryStore(), httpx2.AsyncClient
    with serving(store, demo=True) as api:

        def connected(**given: Any) -> httpx2.AsyncClient:
            return real(**{**given, "transport": InProcess(api)})

        monkeypatch.setattr("grantproof.client.asynchronous.httpx2.AsyncClient", connected)
        assert run(text, KEY=new_key(store, OPERATORS))[0] == told


def test_the_engine_of_the_page_answers(blocks: dict[str, tuple[str, str]]) -> None:
    """By the policy of the page."""
    text, told = blocks["engine.py"]
    assert run(text)[0] == told


def test_the_application_of_the_page_is_guarded(blocks: dict[str, tuple[str, str]]) -> None:
    """By its dependency, and by the middleware around it."""
    app = run(blocks["app.py"][0])[1]["app"]
    guarded = run(blocks["guard.py"][0], app=app)[1]["guarded"]
    for application in (app, guarded):
        client = TestClient(application)
        answers = [
            client.get("/orders/7", headers={"x-user": "bob"}),
            client.get("/orders/8", headers={"x-user": "bob"}),
            client.get("/orders/7", headers={"x-user": "eve"}),
            client.get("/orders/7"),
        ]
        assert [answer.status_code for answer in answers] == [200, 403, 403, 401]
        assert answers[0].json() == "order 7"
        assert answers[1].headers["content-type"] == "application/problem+json"
    assert TestClient(guarded).get("/elsewhere", headers={"x-user": "bob"}).status_code == 403
    assert TestClient(guarded).get("/health").status_code == 404
