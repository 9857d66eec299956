"""The example for Flask: every view of it stands behind the guard, and the guard decides."""

import pytest
from flask.testing import FlaskClient

from examples.flask_app.app import create_app
from examples.flask_app.guarding import ROUTES
from grantproof.client.routes import Open


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A client of the application, which decides by the policy beside it."""
    monkeypatch.delenv("GRANTPROOF_SERVER", raising=False)
    return create_app().test_client()


def ask(client: FlaskClient, line: str, user: str | None = None, data: str = "") -> tuple[int, str]:
    """The status and the text of the answer."""
    method, _, path = line.partition(" ")
    headers = {} if user is None else {"X-User": user}
    response = client.open(path, method=method, headers=headers, data=data)
    return response.status_code, response.get_data(as_text=True)


def test_the_policy_decides_over_the_views(client: FlaskClient) -> None:
    """The reader reads, the writer writes, and nobody else is anybody."""
    assert ask(client, "GET /") == (200, "notes are at /notes/NAME")
    assert ask(client, "GET /notes/plan", "bob") == (200, "first this, then that")
    assert ask(client, "PUT /notes/plan", "bob", "mine")[0] == 403
    assert ask(client, "GET /notes/plan", "bob")[1] == "first this, then that"
    assert ask(client, "PUT /notes/plan", "ann", "new") == (200, "new")
    assert ask(client, "GET /notes/plan", "bob") == (200, "new")


@pytest.mark.parametrize(
    ("line", "user", "status"),
    [
        ("GET /notes/plan", None, 401),
        ("GET /notes/plan", "eve", 403),
        ("GET /notes/other", "ann", 403),
        ("DELETE /notes/plan", "ann", 403),
        ("OPTIONS /notes/plan", "ann", 403),
        ("GET //notes/plan", "bob", 403),
        ("GET /notes/plan/", "bob", 403),
        ("GET /notes/%70lan", "bob", 200),
        ("GET /static/app.py", "ann", 403),
        ("GET /elsewhere", "ann", 403),
    ],
)
def test_what_the_table_does_not_name_is_refused(
    client: FlaskClient, line: str, user: str | None, status: int
) -> None:
    """Whoever asks, and however the path is spelt."""
    assert ask(client, line, user)[0] == status


def test_only_the_first_page_is_open() -> None:
    """Nothing became everybody's unnoticed."""
    assert [rule for rule in ROUTES.rules if isinstance(rule, Open)] == [Open("GET", "/")]
