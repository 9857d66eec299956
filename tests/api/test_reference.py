"""The examples of the reference that no other test sends are answered as the page says."""

import pytest

from grantproof.adapters.memory.store import MemoryStore
from grantproof.service.callers import EVERY_SCOPE, Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from tests.api.service import serving
from tests.repository.reference import http_page


@pytest.mark.parametrize(("method", "path"), http_page.BODIES)
def test_an_example_is_answered(method: str, path: str, store: MemoryStore) -> None:
    """By an operator, or by somebody of the organization where the short form is asked for."""
    of_all = path.startswith("/v1")
    scopes = EVERY_SCOPE if of_all else EVERY_SCOPE - {Scope.OPERATE}
    wanted = KeyRequest(None if of_all else ACME, None, scopes)
    address, fitting = http_page.example(method, path)
    with serving(store, wanted) as api:
        answer = api.request(method, address, json=fitting.body)
    assert answer.status_code == 201, answer.text
    assert "{" not in address


def test_every_address_of_an_example_is_filled_in() -> None:
    """No part of it is left for the reader to guess."""
    for method, path, _ in http_page.operations():
        typed = http_page.curl(method, path)
        assert "{" not in typed.partition(" \\")[0], typed
        assert typed.startswith(("curl -s localhost:9090/", "curl -s 'localhost:9090/"))
