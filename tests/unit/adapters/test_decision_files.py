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

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from grantproof.adapters import decision_files
from grantproof.adapters.decision_files import SECONDS_PER_DAY, SUFFIX, DecisionFiles, FileRules
from grantproof.core.errors import Illegal
from grantproof.service.decision_log import (
    REDACTED,
    Entry,
    LogCounts,
    Redaction,
    Said,
    sampled,
)

ENTRY = Entry(
    instant=10,
    request_id="r-1",
    actor="key:abc",
    organization="acme",
    principal="alice",
    action="read",
    resource="docs",
    context={"region": "eu", "attributes": {"email": "a@b", "level": 3}},
    decision="Deny",
    reason="no_role",
    claim=None,
    revision=7,
)


@contextmanager
def logging(rules: FileRules, now: Callable[[], float] = time.time) -> Iterator[DecisionFiles]:
    """A log that is closed at the end."""
    files = DecisionFiles(rules, now=now)
    try:
        yield files
    finally:
        files.close()


def lines(folder: Path) -> list[dict[str, object]]:
    """What is written, over all files in the order of their names."""
    texts = [path.read_text() for path in sorted(folder.iterdir())]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def becomes(holds: Callable[[], bool]) -> bool:
    """Whether a condition comes to hold within a minute."""
    deadline = time.monotonic() + 60
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def numbered(count: int, start: int = 0) -> list[Entry]:
    """Entries that differ in their revision."""
    return [replace(ENTRY, revision=start + number) for number in range(count)]


def test_an_entry_is_written_whole(tmp_path: Path) -> None:
    """One JSON object a line, with every field."""
    with logging(FileRules(tmp_path)) as files:
        files.take([ENTRY])
    assert lines(tmp_path) == [
        {
            "instant": 10,
            "request_id": "r-1",
            "actor": "key:abc",
            "organization": "acme",
            "principal": "alice",
            "action": "read",
            "resource": "docs",
            "context": {"region": "eu", "attributes": {"email": "a@b", "level": 3}},
            "decision": "Deny",
            "reason": "no_role",
            "claim": None,
            "revision": 7,
            "item": None,
        }
    ]
    assert files.tally() == LogCounts(1, 0, 0, 10_000)


def test_of_no_entries_nothing_is_written(tmp_path: Path) -> None:
    """Not even a file is begun: a request that decided nothing has none."""
    with logging(FileRules(tmp_path)) as files:
        files.take([])
    assert list(tmp_path.iterdir()) == []
    assert files.tally() == LogCounts(0, 0, 0, 10_000)


def test_what_is_redacted_is_not_written(tmp_path: Path) -> None:
    """A field, or a part of the context; the rest stays."""
    redaction = Redaction(frozenset({"principal", "context.attributes.email"}))
    with logging(FileRules(tmp_path, redaction=redaction)) as files:
        files.take([ENTRY])
    (line,) = lines(tmp_path)
    assert line["principal"] == REDACTED
    assert line["context"] == {"region": "eu", "attributes": {"email": REDACTED, "level": 3}}
    assert "alice" not in str(line)
    assert "a@b" not in str(line)
    assert line["resource"] == "docs"


@pytest.mark.parametrize(
    ("field", "hidden"), [("principal", "alice"), ("context.attributes.email", "a@b")]
)
def test_one_field_is_redacted_alone(tmp_path: Path, field: str, hidden: str) -> None:
    """Also in an entry beside others that have nothing to redact."""
    bare = replace(ENTRY, principal="bob", context={})
    with logging(FileRules(tmp_path, redaction=Redaction(frozenset({field})))) as files:
        files.take([bare, ENTRY, bare])
    found = lines(tmp_path)
    assert [hidden in str(line) for line in found] == [False] * 3
    assert [REDACTED in str(line) for line in found] == [
        field == "principal",
        True,
        field == "principal",
    ]


@pytest.mark.parametrize("field", ["decision", "revision", "princpal", "attributes", ""])
def test_a_redaction_that_covers_nothing_is_refused(field: str) -> None:
    """A typing error must not let through what somebody believes covered."""
    with pytest.raises(Illegal, match="redact"):
        Redaction(frozenset({field}))


def test_order_is_kept_and_files_are_rotated(tmp_path: Path) -> None:
    """A new file when one is full; together they hold everything, in order."""
    with logging(FileRules(tmp_path, bytes_max=2_000)) as files:
        for start in range(0, 100, 10):
            files.take(numbered(10, start))
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
            files.take(numbered(1, day))
            assert becomes(lambda: files.tally().waiting == 0)
            newest = max(tmp_path.iterdir())
            os.utime(newest, (clock[0], clock[0]))
    assert [line["revision"] for line in lines(tmp_path)] == [2, 3, 4]


def test_there_is_no_room_beyond_the_queue(tmp_path: Path) -> None:
    """While nothing can be written, so much waits and no more; then all of it is written."""
    folder = tmp_path / "log"
    with logging(FileRules(folder, queue_max=5)) as files:
        shutil.rmtree(folder)
        files.take(numbered(5))
        assert not files.has_room()
        assert becomes(lambda: files.tally().waiting == 5)
        folder.mkdir()
        assert becomes(lambda: files.tally().waiting == 0)
        files.take(numbered(1, 5))
    assert [line["revision"] for line in lines(folder)] == list(range(6))
    assert files.tally() == LogCounts(6, 0, 0, 5)


def test_a_deleted_file_is_replaced(tmp_path: Path) -> None:
    """Else its lines would go nowhere, and nobody would know."""
    with logging(FileRules(tmp_path)) as files:
        files.take(numbered(1))
        assert becomes(lambda: files.tally().waiting == 0)
        for path in tmp_path.iterdir():
            path.unlink()
        files.take(numbered(1, 1))
    assert [line["revision"] for line in lines(tmp_path)] == [1]


def test_what_cannot_be_written_by_the_end_is_counted(tmp_path: Path) -> None:
    """Closing ends, and says how many entries are lost."""
    folder = tmp_path / "log"
    with logging(FileRules(folder)) as files:
        shutil.rmtree(folder)
        files.take(numbered(3))
    assert files.tally() == LogCounts(0, 3, 3, 10_000)
    files.take(numbered(1))
    assert files.tally() == LogCounts(0, 4, 3, 10_000)


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    """What was taken is written once."""
    with logging(FileRules(tmp_path, queue_max=1_000_000)) as files:
        threads = [
            threading.Thread(target=lambda start=start: files.take(numbered(500, start)))
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

    def bring(start: int) -> None:
        for number in range(start, start + 1_000):
            files.take(numbered(1, number))
            if number == start + 300:
                going.set()

    threads = [threading.Thread(target=bring, args=(start,)) for start in (0, 1_000, 2_000)]
    for thread in threads:
        thread.start()
    going.wait()
    files.close()
    for thread in threads:
        thread.join()
    # What came last may be too little to be looked at: one more is looked at with it.
    files.take(numbered(1))
    told, found = files.tally(), [line["revision"] for line in lines(tmp_path)]
    assert len(found) == told.written > 0
    assert len(set(map(str, found))) == len(found)
    assert told.written + told.dropped == 3_001


def test_many_entries_are_put_in_words_by_who_brings_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One processor would wait for another that has to read them; of few the writer takes care."""
    monkeypatch.setattr(decision_files, "GATHER_SECONDS", 60)
    put_in_words, by = Redaction.lines, list[tuple[int, bool]]()

    def noting(redaction: Redaction, entries: Sequence[Entry]) -> bytes:
        by.append((len(entries), threading.current_thread() is threading.main_thread()))
        return put_in_words(redaction, entries)

    monkeypatch.setattr(Redaction, "lines", noting)
    with logging(FileRules(tmp_path)) as files:
        for start in (0, 60, 120):
            files.take(numbered(60, start))
    assert [line["revision"] for line in lines(tmp_path)] == list(range(180))
    assert by == [(120, True), (60, False)]


def test_an_entry_for_which_there_are_no_words_is_counted_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are written, those that come after it too."""
    wordless = replace(ENTRY, context={"email": "\ud800"})
    with logging(FileRules(tmp_path)) as files:
        files.take([*numbered(2), wordless, *numbered(2, 2)])
        assert becomes(lambda: files.tally().written == 4)
        files.take(numbered(1, 4))
    assert [line["revision"] for line in lines(tmp_path)] == list(range(5))
    assert files.tally() == LogCounts(5, 1, 0, 10_000)
    assert capsys.readouterr().out.count("a decision cannot be logged") == 1


def test_several_logs_in_one_folder_have_files_of_their_own(tmp_path: Path) -> None:
    """Together they hold everything; each file is of one log, in its order."""
    with logging(FileRules(tmp_path)) as first, logging(FileRules(tmp_path)) as second:
        for start in range(0, 1_000, 10):
            first.take(numbered(10, start))
            second.take(numbered(10, 10_000 + start))
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
        files.take([ENTRY])
        assert becomes(lambda: files.tally().written == 1)
        assert seen == [f"*{SUFFIX}"]
    assert "decisions cannot be logged" not in capsys.readouterr().out


def test_sampling_takes_its_share_and_never_changes_its_mind() -> None:
    """By the request's id alone."""
    ids = [f"request-{number}" for number in range(10_000)]
    assert not any(sampled(each, 0) for each in ids)
    assert all(sampled(each, 1) for each in ids)
    taken = [each for each in ids if sampled(each, 0.1)]
    assert 800 < len(taken) < 1_200
    assert set(taken) <= {each for each in ids if sampled(each, 0.2)}


def test_more_than_is_written_at_once_keeps_its_order(tmp_path: Path) -> None:
    """What was taken together may be written in parts; each part is written once."""
    folder = tmp_path / "log"
    with logging(FileRules(folder)) as files:
        shutil.rmtree(folder)
        for start in range(0, 2_100, 700):
            files.take(numbered(700, start))
        assert files.tally().waiting == 2_100
        folder.mkdir()
        assert becomes(lambda: files.tally().waiting == 0)
    assert [line["revision"] for line in lines(folder)] == list(range(2_100))
    assert files.tally() == LogCounts(2_100, 0, 0, 10_000)


def test_where_there_is_no_room_nobody_waits_for_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer waits for more only while there is room for it, and never holds up the end."""
    monkeypatch.setattr(decision_files, "GATHER_SECONDS", 60)
    with logging(FileRules(tmp_path, queue_max=2)) as files:
        for start in range(0, 6, 2):
            files.take(numbered(2, start))
            assert becomes(files.has_room)
        files.take(numbered(1, 6))
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
                files.take(numbered(1, 2))
            written.append(lines.count(b"\n"))
            write_all(file, lines)

        patched.setattr(decision_files, "GATHER_SECONDS", 60)
        patched.setattr(decision_files, "_write_all", counting)
        files.take(numbered(2))
        assert becomes(lambda: files.tally().written == 2)
        files.take(numbered(1, 3))
        assert becomes(lambda: files.tally().written == 4)
    assert written == [2, 2]
    assert [line["revision"] for line in lines(tmp_path)] == list(range(4))


SAID = st.fixed_dictionaries(
    {},
    optional={
        "resource_kind": st.text(),
        "region": st.text(),
        "position": st.text(),
        "attributes": st.dictionaries(
            st.sampled_from(["email", "level", "a.b"]),
            st.text() | st.integers(-9, 9) | st.dictionaries(st.just("email"), st.text()),
        ),
        "hour": st.integers(0, 23),
        "weekday": st.integers(0, 6),
        "usage": st.integers(0, 2**53),
        "rate": st.integers(0, 2**53),
        "active_roles": st.lists(st.text(), max_size=2),
        "session_id": st.text(),
    },
)
COVERED = st.frozensets(
    st.sampled_from(
        [
            "principal",
            "claim",
            "context",
            *(f"context.{name}" for name in Said.__struct_fields__),
            "context.attributes.email",
            "context.attributes.email.email",
            "context.attributes.a.b",
            "context.subject_type",
            "context.__doc__",
        ]
    ),
    max_size=3,
)


@given(st.lists(SAID, max_size=4), COVERED)
def test_what_questions_say_is_written_and_redacted_as_any_context(
    said: list[dict[str, Any]], fields: frozenset[str]
) -> None:
    """Byte for byte, whether it is looked through at once or part by part."""
    redaction = Redaction(fields)
    told = redaction.lines([replace(ENTRY, context=Said(**one)) for one in said])
    by_name = [replace(ENTRY, context=in_order(one)) for one in said]
    assert told == redaction.lines(by_name)
    assert told == b"".join(redaction.lines([entry]) for entry in by_name)
    assert told == b"".join(
        msgspec.json.encode(covered(msgspec.to_builtins(entry), fields)) + b"\n"
        for entry in by_name
    )


WORDS = st.text() | st.sampled_from(['"', "\\", "\n", "\x7f", "\u2028", "é", "\U0001f600", "a{b}c"])
ENTRIES = st.builds(
    Entry,
    st.integers(0, 2**40),
    WORDS,
    WORDS,
    WORDS,
    WORDS,
    WORDS,
    WORDS,
    st.builds(lambda said: Said(**said), SAID) | st.dictionaries(WORDS, WORDS, max_size=2),
    st.sampled_from(["Allow", "Deny"]),
    st.none() | WORDS,
    st.none() | WORDS,
    st.integers(0, 2**53),
    st.none() | st.integers(0, 1_000),
)


@given(st.lists(st.lists(ENTRIES, max_size=3), max_size=4), COVERED)
def test_entries_are_written_as_if_each_were_alone(
    requests: list[list[Entry]], fields: frozenset[str]
) -> None:
    """Byte for byte and in their order, however they were brought and whatever is redacted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rules = FileRules(folder, redaction=Redaction(fields), queue_max=3)
        with logging(rules) as files:
            for entries in requests:
                files.take(entries)
        written = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    assert written == b"".join(
        msgspec.json.encode(covered(msgspec.to_builtins(entry), fields)) + b"\n"
        for entries in requests
        for entry in entries
    )


def in_order(said: dict[str, Any]) -> dict[str, Any]:
    """What is said, in the order in which it is written."""
    return {name: said[name] for name in Said.__struct_fields__ if name in said}


def covered(value: Any, fields: frozenset[str], path: str = "") -> Any:
    """The value with a mark in the place of every field, looked up by its whole path."""
    if path in fields:
        return REDACTED
    if not isinstance(value, dict):
        return value
    inside = f"{path}." if path else ""
    return {name: covered(one, fields, f"{inside}{name}") for name, one in value.items()}


@pytest.mark.parametrize(
    ("context", "told"),
    [
        (Said(), b"{}"),
        (Said(active_roles=[], attributes={}), b'{"attributes":{},"active_roles":[]}'),
        (
            Said("file", "eu", rate=0, usage=1, weekday=2, hour=3),
            b'{"resource_kind":"file","region":"eu","hour":3,"weekday":2,"usage":1,"rate":0}',
        ),
    ],
)
def test_only_what_was_said_is_written_in_a_fixed_order(context: Said, told: bytes) -> None:
    """Zero and nothing at all were said too."""
    assert Redaction().lines([replace(ENTRY, context=context)]) == (
        b'{"instant":10,"request_id":"r-1","actor":"key:abc","organization":"acme",'
        b'"principal":"alice","action":"read","resource":"docs","context":'
        + told
        + b',"decision":"Deny","reason":"no_role","claim":null,"revision":7,"item":null}\n'
    )
