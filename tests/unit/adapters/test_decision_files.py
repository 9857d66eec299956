"""The decision log in files: nothing is lost in silence, whatever the disk does."""

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from grantproof.adapters import decision_files
from grantproof.adapters.decision_files import SECONDS_PER_DAY, SUFFIX, DecisionFiles, FileRules
from grantproof.service.decision_log import REDACTED, Entry, LogCounts, Record, Redaction
from tests.unit.service.test_decision_log import COVERED, ENTRY, RECORD, records, written


@contextmanager
def logging(rules: FileRules, now: Callable[[], float] = time.time) -> Iterator[DecisionFiles]:
    """A log that is closed at the end."""
    files = DecisionFiles(rules, now=now)
    try:
        yield files
    finally:
        files.close()


def lines(folder: Path) -> list[dict[str, Any]]:
    """What is written, over all files in the order of their names."""
    texts = [path.read_text() for path in sorted(folder.iterdir())]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def becomes(holds: Callable[[], bool]) -> bool:
    """Whether a condition comes to hold within a minute."""
    deadline = time.monotonic() + 60
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def numbered(count: int, start: int = 0) -> list[Record]:
    """Records of one entry each that differ in their revision."""
    return [replace(RECORD, revision=start + number) for number in range(count)]


def bring(files: DecisionFiles, count: int, start: int = 0) -> None:
    """Let numbered records be written."""
    for record in numbered(count, start):
        files.take(record)


def test_a_record_is_written_whole(tmp_path: Path) -> None:
    """One JSON object a line: what is the same of all its decisions once, and each in its place."""
    allowed = Entry({"principal_id": "bob"}, "Allow", claim="c-1")
    with logging(FileRules(tmp_path)) as files:
        files.take(replace(RECORD, decisions=[ENTRY, None, allowed], malformed=1))
    assert lines(tmp_path) == [
        {
            "instant": 10,
            "request_id": "r-1",
            "actor": "key:abc",
            "organization": "acme",
            "revision": 7,
            "decisions": [
                {"asked": ENTRY.asked, "decision": "Deny", "reason": "no_role"},
                None,
                {"asked": {"principal_id": "bob"}, "decision": "Allow", "claim": "c-1"},
            ],
            "malformed": 1,
        }
    ]
    assert files.tally() == LogCounts(2, 0, 0, 10_000)


@pytest.mark.parametrize("empty", [0, 1])
def test_without_decisions_nothing_is_written(tmp_path: Path, empty: int) -> None:
    """Not even a file is begun: a request that decided nothing has none."""
    with logging(FileRules(tmp_path)) as files:
        files.take(replace(RECORD, decisions=[None] * empty, malformed=empty))
    assert list(tmp_path.iterdir()) == []
    assert files.tally() == LogCounts(0, 0, 0, 10_000)


def test_what_is_redacted_is_not_written(tmp_path: Path) -> None:
    """A field of the request, a part of what was asked; the rest stays, and every place."""
    redaction = Redaction(frozenset({"actor", "asked.principal_id", "asked.attributes.email"}))
    with logging(FileRules(tmp_path, redaction=redaction)) as files:
        files.take(replace(RECORD, decisions=[None, ENTRY], malformed=1))
    (line,) = lines(tmp_path)
    assert (line["actor"], line["request_id"]) == (REDACTED, "r-1")
    nothing, told = line["decisions"]
    assert (nothing, told["asked"]) == (
        None,
        {
            "principal_id": REDACTED,
            "action": "read",
            "resource_id": "docs",
            "region": "eu",
            "attributes": {"email": REDACTED, "level": 3},
        },
    )
    assert "alice" not in str(line)
    assert "a@b" not in str(line)


@pytest.mark.parametrize(
    ("field", "hidden"), [("claim", "c-1"), ("asked.attributes.email", "a@b"), ("asked", "alice")]
)
def test_one_field_is_redacted_alone(tmp_path: Path, field: str, hidden: str) -> None:
    """Also in an entry beside others that have nothing to redact."""
    full, bare = replace(ENTRY, claim="c-1"), Entry({"action": "read"}, "Deny")
    one = replace(RECORD, decisions=[bare])
    with logging(FileRules(tmp_path, redaction=Redaction(frozenset({field})))) as files:
        for record in (one, replace(RECORD, decisions=[full]), one):
            files.take(record)
        files.take(replace(RECORD, decisions=[bare, full]))
    found = lines(tmp_path)
    assert [hidden in str(line) for line in found] == [False] * 4
    assert [REDACTED in str(line) for line in found] == [field == "asked", True] * 2


def test_what_may_be_redacted_is_looked_for_where_it_may_be(tmp_path: Path) -> None:
    """Records of which it is known what they may say are written in their turn among others."""
    said = replace(RECORD, decisions=[replace(ENTRY, asked={"position": "48.1,11.5"})])
    turns = [(RECORD, None), (said, None), (RECORD, frozenset({"action"})), (said, None)] * 2
    redaction = Redaction(frozenset({"asked.position"}))
    with logging(FileRules(tmp_path, redaction=redaction)) as files:
        for number, (record, names) in enumerate(turns):
            files.take(replace(record, revision=number), names=names)
        assert files.tally().waiting + files.tally().written == len(turns)
    found = lines(tmp_path)
    assert [line["revision"] for line in found] == list(range(len(turns)))
    assert [REDACTED in str(line) for line in found] == [record is said for record, _ in turns]
    assert "48.1" not in str(found)
    files.take(RECORD, names=frozenset({"action"}))
    assert files.tally().dropped == 1


def test_order_is_kept_and_files_are_rotated(tmp_path: Path) -> None:
    """A new file when one is full; together they hold everything, in order."""
    with logging(FileRules(tmp_path, bytes_max=2_000)) as files:
        for start in range(0, 100, 10):
            bring(files, 10, start)
            assert becomes(lambda: files.tally().waiting == 0)
    assert [line["revision"] for line in lines(tmp_path)] == list(range(100))
    assert len(list(tmp_path.iterdir())) > 3


def test_a_file_is_left_after_a_day_and_deleted_after_its_time(tmp_path: Path) -> None:
    """By the clock that the log is given."""
    clock = [1_000_000_000.0]
    rules = FileRules(tmp_path, keep_days=2)
    with logging(rules, now=lambda: clock[0]) as files:
        for day in range(5):
            clock[0] += SECONDS_PER_DAY
            bring(files, 1, day)
            assert becomes(lambda: files.tally().waiting == 0)
            newest = max(tmp_path.iterdir())
            os.utime(newest, (clock[0], clock[0]))
    assert [line["revision"] for line in lines(tmp_path)] == [2, 3, 4]


def test_there_is_no_room_beyond_the_queue(tmp_path: Path) -> None:
    """While nothing can be written, so much waits and no more; then all of it is written."""
    folder = tmp_path / "log"
    with logging(FileRules(folder, queue_max=5)) as files:
        shutil.rmtree(folder)
        bring(files, 5)
        assert not files.has_room()
        assert becomes(lambda: files.tally().waiting == 5)
        folder.mkdir()
        assert becomes(lambda: files.tally().waiting == 0)
        bring(files, 1, 5)
    assert [line["revision"] for line in lines(folder)] == list(range(6))
    assert files.tally() == LogCounts(6, 0, 0, 5)


def test_a_deleted_file_is_replaced(tmp_path: Path) -> None:
    """Else its lines would go nowhere, and nobody would know."""
    with logging(FileRules(tmp_path)) as files:
        bring(files, 1)
        assert becomes(lambda: files.tally().waiting == 0)
        for path in tmp_path.iterdir():
            path.unlink()
        bring(files, 1, 1)
    assert [line["revision"] for line in lines(tmp_path)] == [1]


def test_what_cannot_be_written_by_the_end_is_counted(tmp_path: Path) -> None:
    """Closing ends, and says how many entries are lost."""
    folder = tmp_path / "log"
    with logging(FileRules(folder)) as files:
        shutil.rmtree(folder)
        bring(files, 3)
    assert files.tally() == LogCounts(0, 3, 3, 10_000)
    bring(files, 1)
    assert files.tally() == LogCounts(0, 4, 3, 10_000)
    files.take(replace(RECORD, decisions=[ENTRY, ENTRY]))
    assert files.tally() == LogCounts(0, 6, 3, 10_000)


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    """What was taken is written once."""
    with logging(FileRules(tmp_path, queue_max=1_000_000)) as files:
        threads = [
            threading.Thread(target=bring, args=(files, 500, start))
            for start in range(0, 4_000, 500)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(int(str(line["revision"])) for line in lines(tmp_path)) == list(range(4_000))


def test_what_is_taken_while_the_log_ends_is_written_or_counted(tmp_path: Path) -> None:
    """Of several who bring entries to the end and beyond, none is lost in silence."""
    going = threading.Event()
    files = DecisionFiles(FileRules(tmp_path, queue_max=1_000_000))

    def going_on(start: int) -> None:
        bring(files, 300, start)
        going.set()
        bring(files, 700, start + 300)

    threads = [threading.Thread(target=going_on, args=(start,)) for start in (0, 1_000, 2_000)]
    for thread in threads:
        thread.start()
    going.wait()
    files.close()
    for thread in threads:
        thread.join()
    # What came last may be too little to be looked at: one more is looked at with it.
    bring(files, 1)
    told, found = files.tally(), [line["revision"] for line in lines(tmp_path)]
    assert len(found) == told.written > 0
    assert len(set(map(str, found))) == len(found)
    assert told.written + told.dropped == 3_001


def test_much_is_put_in_words_by_who_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One processor would wait for another that has to read it; of little the writer takes care."""
    monkeypatch.setattr(decision_files, "GATHER_SECONDS", 60)
    put_in_words, by = Redaction.lines, list[tuple[int, bool, Any]]()
    plain = frozenset({"action"})

    def noting(redaction: Redaction, records: Sequence[Record], *, names: Any = None) -> bytes:
        here = threading.current_thread() is threading.main_thread()
        by.append((len(records), here, names))
        return put_in_words(redaction, records, names=names)

    monkeypatch.setattr(Redaction, "lines", noting)
    with logging(FileRules(tmp_path)) as files:
        bring(files, 70)
        files.take(replace(RECORD, revision=70, decisions=[ENTRY, ENTRY]))
        files.take(replace(RECORD, revision=71), names=plain)
        bring(files, 9, 72)
    assert [line["revision"] for line in lines(tmp_path)] == list(range(81))
    assert by == [(64, True, None), (7, True, None), (1, True, plain), (9, False, None)]
    assert files.tally() == LogCounts(82, 0, 0, 10_000)


def test_a_record_for_which_there_are_no_words_is_counted_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are written, those that come after it too."""
    wordless = replace(ENTRY, asked={"email": "\ud800"})
    with logging(FileRules(tmp_path)) as files:
        bring(files, 2)
        files.take(replace(RECORD, decisions=[ENTRY, wordless]))
        bring(files, 2, 2)
        assert becomes(lambda: files.tally().written == 4)
        bring(files, 1, 4)
    assert [line["revision"] for line in lines(tmp_path)] == list(range(5))
    assert files.tally() == LogCounts(5, 2, 0, 10_000)
    told = capsys.readouterr().out
    assert told.count("decisions cannot be put in words") == 1
    assert "entries=2" in told


def test_all_entries_of_what_is_written_beside_it_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many a request has that is put in words with one for which there are none."""
    monkeypatch.setattr(decision_files, "GATHER_SECONDS", 60)
    with logging(FileRules(tmp_path)) as files:
        files.take(replace(RECORD, decisions=[replace(ENTRY, asked={"email": "\ud800"})]))
        files.take(replace(RECORD, decisions=[ENTRY, ENTRY, ENTRY]))
    assert files.tally() == LogCounts(3, 1, 0, 10_000)


def test_several_logs_in_one_folder_have_files_of_their_own(tmp_path: Path) -> None:
    """Together they hold everything; each file is of one log, in its order."""
    with logging(FileRules(tmp_path)) as first, logging(FileRules(tmp_path)) as second:
        for start in range(0, 1_000, 10):
            bring(first, 10, start)
            bring(second, 10, 10_000 + start)
    written = [
        [json.loads(line)["revision"] for line in path.read_text().splitlines()]
        for path in tmp_path.iterdir()
    ]
    assert sorted(written) == [list(range(1_000)), list(range(10_000, 11_000))]


def test_an_old_file_that_another_process_deletes_first_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is gone, as it should be; nothing is tried again for it."""
    seen: list[str] = []

    def listed_then_gone(folder: Path, pattern: str) -> Iterator[Path]:
        seen.append(pattern)
        yield folder / f"gone{SUFFIX}"

    with logging(FileRules(tmp_path)) as files, monkeypatch.context() as patched:
        patched.setattr(Path, "glob", listed_then_gone)
        files.take(RECORD)
        assert becomes(lambda: files.tally().written == 1)
        assert seen == [f"*{SUFFIX}"]
    assert "decisions cannot be logged" not in capsys.readouterr().out


def test_an_old_file_that_cannot_be_deleted_stops_no_decision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told by its name; a folder of such a name cannot be unlinked by anybody."""
    stuck, old = tmp_path / f"1{SUFFIX}", tmp_path / f"2{SUFFIX}"
    stuck.mkdir()
    old.touch()
    for path in (stuck, old):
        os.utime(path, (0, 0))
    with logging(FileRules(tmp_path)) as files:
        files.take(RECORD)
        assert becomes(lambda: files.tally().written == 1)
    said = capsys.readouterr().out
    assert "old decisions cannot be deleted" in said
    assert stuck.name in said
    assert not old.exists()


def test_a_file_from_before_the_clock_was_set_back_is_left(tmp_path: Path) -> None:
    """Else it would be written for as long as the clock was ahead, and never be old."""
    clock = [1_000_000_000.0]
    with logging(FileRules(tmp_path), now=lambda: clock[0]) as files:
        for number in range(2):
            clock[0] -= SECONDS_PER_DAY
            bring(files, 1, number)
            assert becomes(lambda: files.tally().waiting == 0)
    assert len(list(tmp_path.iterdir())) == 2


def test_more_than_is_written_at_once_keeps_its_order(tmp_path: Path) -> None:
    """What was taken together may be written in parts; each part is written once."""
    folder = tmp_path / "log"
    with logging(FileRules(folder)) as files:
        shutil.rmtree(folder)
        for number in range(3):
            files.take(replace(RECORD, revision=number, decisions=[ENTRY] * 700))
        bring(files, 100, 3)
        assert files.tally().waiting == 2_200
        folder.mkdir()
        assert becomes(lambda: files.tally().waiting == 0)
    assert [line["revision"] for line in lines(folder)] == list(range(103))
    assert files.tally() == LogCounts(2_200, 0, 0, 10_000)


def test_where_there_is_no_room_nobody_waits_for_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer waits for more only while there is room for it, and never holds up the end."""
    monkeypatch.setattr(decision_files, "GATHER_SECONDS", 60)
    with logging(FileRules(tmp_path, queue_max=2)) as files:
        for start in range(0, 6, 2):
            bring(files, 2, start)
            assert becomes(files.has_room)
        bring(files, 1, 6)
    assert [line["revision"] for line in lines(tmp_path)] == list(range(7))


def test_what_comes_while_others_are_written_is_gathered_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each of many requests would have a writing of its own, however fast they come."""
    written: list[int] = []
    write_all = decision_files._write_all  # noqa: SLF001 - the only place where it is seen

    with logging(FileRules(tmp_path, queue_max=2)) as files, monkeypatch.context() as patched:

        def counting(file: FileIO, lines: bytes) -> None:
            if not written:
                bring(files, 1, 2)
            written.append(lines.count(b"\n"))
            write_all(file, lines)

        patched.setattr(decision_files, "GATHER_SECONDS", 60)
        patched.setattr(decision_files, "_write_all", counting)
        bring(files, 2)
        assert becomes(lambda: files.tally().written == 2)
        bring(files, 1, 3)
        assert becomes(lambda: files.tally().written == 4)
    assert written == [2, 2]
    assert [line["revision"] for line in lines(tmp_path)] == list(range(4))


@given(st.lists(records(), max_size=4), COVERED)
def test_records_are_written_as_if_each_were_alone(
    requests: list[Record], fields: frozenset[str]
) -> None:
    """Byte for byte and in their order, however they were brought and whatever is redacted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rules = FileRules(folder, redaction=Redaction(fields), queue_max=3)
        with logging(rules) as files:
            for record in requests:
                files.take(record)
        found = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    kept = [record for record in requests if any(record.decisions)]
    assert found == b"".join(written(record, fields) for record in kept)
    assert files.tally().written == sum(
        one is not None for record in kept for one in record.decisions
    )
