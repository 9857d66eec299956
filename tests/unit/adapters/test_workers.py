"""Sheets of metrics: whoever is asked tells those of all workers, and none ever goes back."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from grantproof.adapters.workers import LABEL, Sheets, Worker, clear, merged, sheet
from tests.unit.adapters.test_telemetry import families, samples, watching_everything

REQUESTS = b"""# HELP asked_total Requests, "all" of them.
# TYPE asked_total counter
asked_total{route="/a\\"b"} %d.0
"""


def counting(start: int = 0) -> Callable[[], bytes]:
    """What tells one request more each time that it is read."""
    numbers = iter(range(start + 1, 1_000_000))
    return lambda: REQUESTS % next(numbers)


def asked(text: bytes) -> dict[str, float]:
    """What each worker has counted."""
    return {dict(labels)[LABEL]: value for (_, labels), value in samples(text.decode()).items()}


def two(folder: Path) -> tuple[Sheets, Sheets]:
    """The sheets of two workers that count."""
    first, second = Worker(0, folder, prepared=True), Worker(1, folder, prepared=True)
    return Sheets(first, counting()), Sheets(second, counting(10))


def test_everything_is_told_of_every_worker_under_one_head() -> None:
    """Each family once, with its type and its words; each sample with its worker, unchanged."""
    text = watching_everything().written().decode()
    whole = merged({0: text, 3: text}).decode()
    assert whole.count("# TYPE") == text.count("# TYPE") > 20
    assert [line for line in whole.splitlines() if line[0] == "#"] == [
        line for line in text.splitlines() if line[0] == "#"
    ]
    told = samples(whole)
    assert told == {
        (name, tuple(sorted((*labels, (LABEL, number))))): value
        for (name, labels), value in samples(text).items()
        for number in ("0", "3")
    }
    assert {name: one.type for name, one in families(whole).items()} == {
        name: one.type for name, one in families(text).items()
    }


def test_whoever_is_asked_tells_its_own_of_now(tmp_path: Path) -> None:
    """And of the others what they left last, in a file for nobody else."""
    first, second = two(tmp_path)
    assert asked(first.told()) == {"0": 1}
    second.keep()
    second.keep()
    assert asked(first.told()) == {"0": 2, "1": 12}
    assert asked(second.told()) == {"0": 2, "1": 13}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.prom", "1.prom"]
    assert sheet(tmp_path, 0).stat().st_mode & 0o777 == 0o600


def test_what_was_told_is_never_taken_back(tmp_path: Path) -> None:
    """Whichever of two workers is asked next, while both also leave their sheets by themselves."""
    both = two(tmp_path)
    ended = threading.Event()

    def keep(sheets: Sheets) -> None:
        while not ended.wait(0.001):
            sheets.keep()

    threads = [threading.Thread(target=keep, args=(sheets,)) for sheets in both]
    for thread in threads:
        thread.start()
    seen = {"0": 0.0, "1": 0.0}
    for number in range(50):
        now = asked(both[number % 2].told())
        assert all(seen[worker] <= count for worker, count in now.items())
        seen |= now
    ended.set()
    for thread in threads:
        thread.join()
    assert min(seen.values()) > 10


def test_what_an_ended_worker_left_is_cleared(tmp_path: Path) -> None:
    """Also what it had not finished; nothing of another, and nothing is no fault."""
    first, second = two(tmp_path)
    second.keep()
    sheet(tmp_path, 1).with_suffix(".part").write_text("asked_to")
    clear(tmp_path, 1)
    clear(tmp_path, 1)
    assert asked(first.told()) == {"0": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["0.prom"]


def test_a_sheet_that_cannot_be_written_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own numbers are told all the same."""
    sheets = Sheets(Worker(0, tmp_path / "gone", prepared=True), counting())
    assert asked(sheets.told()) == {"0": 1}
    assert asked(sheets.told()) == {"0": 2}
    assert capsys.readouterr().out.count("metrics cannot be left for the other workers") == 1


def test_a_line_of_the_log_says_which_worker_wrote_it(tmp_path: Path) -> None:
    """Unless it says so itself."""
    worker = Worker(3, tmp_path, prepared=False)
    assert worker.named(None, "info", {"event": "x"}) == {"event": "x", LABEL: 3}
    assert worker.named(None, "info", {LABEL: 1}) == {LABEL: 1}
