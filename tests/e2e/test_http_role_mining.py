"""A real matrix through the whole way of a request: SQLite, a server process, HTTP, batches."""

import http.client
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import pytest

from bench.over_http import new_key
from bench.servers import HOST, Server, serving
from grantproof.bootstrap import compose
from grantproof.core.commands import Accepted
from grantproof.core.identifiers import OrganizationId, PrincipalId, ResourceId
from grantproof.core.limits import BATCH_ITEMS_MAX
from grantproof.service.authors import Author
from grantproof.settings import Settings
from tests.differential.role_mining import USE, Matrix, import_of, read_decomposition, read_matrix

NAME, METHOD = "americas_small", "optimal_cover"
HP = OrganizationId("hp")
SEED = 20_251_120
PATIENCE_SECONDS = 60
Pair = tuple[PrincipalId, ResourceId]
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def matrix(real_data: Path) -> Matrix:
    """The largest of the matrices."""
    return read_matrix(real_data / "hp-role-mining", NAME)


@pytest.fixture(scope="module")
def server(
    matrix: Matrix, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server on a database that holds the organization, imported before it starts."""
    url = f"sqlite:///{tmp_path_factory.mktemp('mined') / 'grantproof.db'}"
    services = compose(Settings(database_url=url))
    change = import_of(matrix, read_decomposition(real_data / "hp-role-mining", NAME, METHOD))
    assert services.administration.found(HP, time_zone="UTC", by=Author("importer"))
    assert isinstance(services.administration.propose(HP, change, by=Author("importer")), Accepted)
    services.close()
    settings = {"GRANTPROOF_DATABASE_URL": url}
    application, credential = "grantproof.api.app:create_app", new_key(url)
    with serving(application, settings, credential=credential) as running:
        yield running


def denied_pairs(matrix: Matrix, count: int) -> list[Pair]:
    """A seeded sample, without replacement, of the pairs that the matrix does not have."""
    width = len(matrix.permissions)
    everything = range(len(matrix.users) * width)
    drawn = random.Random(SEED).sample(everything, k=2 * count)
    pairs = ((matrix.users[at // width], matrix.permissions[at % width]) for at in drawn)
    return [pair for pair in pairs if pair not in matrix.allowed][:count]


def batch(pairs: list[Pair]) -> bytes:
    """The body that asks about the pairs, in their order."""
    items = [
        {"principal_id": user, "action": USE, "resource_id": permission}
        for user, permission in pairs
    ]
    return json.dumps({"org_id": HP, "items": items}).encode()


def answered(connection: http.client.HTTPConnection, body: bytes, *, credential: str) -> bytes:
    """What the server answers to a batch."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {credential}"}
    connection.request("POST", "/evaluate/batch", body=body, headers=headers)
    response = connection.getresponse()
    content = response.read()
    assert response.status == 200, content
    return content


def test_every_allowed_pair_and_as_many_denied_ones_over_http(
    matrix: Matrix, server: Server, record_property: Record
) -> None:
    """All 105,205 pairs of the matrix are allowed over HTTP, as many others denied, none wrong."""
    allowed = sorted(matrix.allowed)
    pairs = allowed + denied_pairs(matrix, len(allowed))
    random.Random(SEED).shuffle(pairs)
    starts = range(0, len(pairs), BATCH_ITEMS_MAX)
    bodies = [batch(pairs[at : at + BATCH_ITEMS_MAX]) for at in starts]
    connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE_SECONDS)
    started = perf_counter()
    contents = [answered(connection, body, credential=server.credential) for body in bodies]
    seconds = perf_counter() - started
    connection.close()
    answers = [item["decision"] for content in contents for item in json.loads(content)["items"]]
    figure = (
        f"{NAME} {METHOD} over HTTP: {len(pairs):,} decisions in {seconds:.2f} s,"
        f" {len(pairs) / seconds:,.0f} a second"
    )
    record_property("figure", figure)
    print(figure)  # noqa: T201 - a figure is what this test is asked for
    assert (len(allowed), len(set(pairs))) == (105_205, 2 * 105_205)
    expected = ["Allow" if pair in matrix.allowed else "Deny" for pair in pairs]
    wrong = [
        (pair, answer)
        for pair, answer, due in zip(pairs, answers, expected, strict=True)
        if answer != due
    ]
    assert wrong == []
