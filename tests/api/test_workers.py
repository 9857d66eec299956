"""One of several workers: `/metrics` tells all of them, whichever is asked."""

from pathlib import Path

from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.workers import LABEL, Worker, sheet
from grantproof.service.callers import Scope
from grantproof.service.keyring import KeyRequest
from tests.api.service import OPERATORS, ask, bearer, new_key, problem, serving
from tests.api.test_decision_log import becomes
from tests.organizations import ACME
from tests.unit.adapters.test_telemetry import families, samples
from tests.unit.test_metrics_page import PAGE, rows

DECISIONS = "grantproof_decisions_total"


def decisions(text: str) -> dict[str, float]:
    """How many each worker has made."""
    found: dict[str, float] = {}
    for (name, labels), value in samples(text).items():
        if name == DECISIONS:
            worker = dict(labels)[LABEL]
            found[worker] = found.get(worker, 0) + value
    return found


def test_any_worker_tells_what_all_have_counted(store: MemoryStore, tmp_path: Path) -> None:
    """Its own of now; the others' too, once they have left them, which they do by themselves."""
    first, second = (Worker(number, tmp_path, prepared=True) for number in (0, 1))
    with (
        serving(store, OPERATORS, worker=first) as one,
        serving(store, OPERATORS, worker=second) as other,
    ):
        for number in range(10):
            ask(one if number < 3 else other)
        assert decisions(one.get("/metrics").text)["0"] == 3
        assert becomes(lambda: decisions(one.get("/metrics").text) == {"0": 3, "1": 7})
        assert decisions(other.get("/metrics").text) == {"0": 3, "1": 7}
        text = one.get("/metrics").text
        told = {name: family.labels - {LABEL} for name, family in families(text).items()}
        page = rows(PAGE)
        assert told == {name: page[name].labels for name in told}
        assert all(LABEL in dict(labels) for _, labels in samples(text))


def test_what_was_counted_is_left_at_the_end(store: MemoryStore, tmp_path: Path) -> None:
    """To the last answer."""
    worker = Worker(0, tmp_path, prepared=True)
    with serving(store, OPERATORS, worker=worker) as api:
        for _ in range(5):
            ask(api)
    left = sheet(tmp_path, 0).read_text()
    assert samples(left)[DECISIONS, (("outcome", "allow"), ("reason", ""))] == 5


def test_metrics_of_all_workers_are_for_the_same_few(store: MemoryStore, tmp_path: Path) -> None:
    """For nobody without a credential, and for nobody who is bound to an organization."""
    with serving(store, worker=Worker(0, tmp_path, prepared=True)) as api:
        bound = bearer(new_key(store, KeyRequest(ACME, None, frozenset({Scope.REVIEW}))))
        assert api.get("/metrics").status_code == 401
        problem(api.get("/metrics", headers=bound), 403, "bound_caller")
