"""Snapshot files: what was written comes back, and nothing that was touched does."""

import errno
import hashlib
import hmac
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from grantproof.adapters import snapshot_files
from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.snapshot_files import DRAFT_SECONDS_MAX, MAGIC, SnapshotFiles
from grantproof.core.identifiers import OrganizationId
from grantproof.core.invariants import valid
from grantproof.core.model import Assignment, Delta, GroupAssignment, Membership
from grantproof.service.shelf import Damaged, ShelfCounts
from grantproof.service.snapshot_rows import (
    LENGTH,
    Claims,
    Constraints,
    Groups,
    Header,
    Inheritances,
    Kinds,
    Nestings,
    Part,
    Principals,
    RateRow,
    Resources,
    Roles,
    SodSets,
)
from grantproof.service.versions import Versioned, Versions
from tests.contracts.histories import HISTORY, created
from tests.organizations import ACME, ANN, CLERK, STAFF, made_of, roles
from tests.shelves import SECRET, at_once, found, kept, seen_in, shelf_in

OTHER = OrganizationId("other")
SMALL = HISTORY[4:7]
HEADER = Header(ACME, 5, "5ea1", "UTC", administered=False, entities=2)


def furnished(organization: OrganizationId = ACME) -> Versioned:
    """An organization with every kind of fact."""
    store = MemoryStore()
    created(store, organization)
    return seen_in(store, organization)


def small(organization: OrganizationId = ACME) -> Versioned:
    """An organization with two groups, one in the other."""
    store = MemoryStore()
    created(store, organization, SMALL)
    return seen_in(store, organization)


def sealed(*parts: Header | Part, secret: bytes = SECRET) -> bytes:
    """A file of the parts as whoever has the key could make it."""
    written = map(msgspec.msgpack.Encoder(enc_hook=str).encode, parts)
    return closed(b"".join(LENGTH.pack(len(one)) + one for one in written), secret)


def closed(body: bytes, secret: bytes = SECRET) -> bytes:
    """A file with that body under the right seal."""
    whole = MAGIC + body
    return whole + hmac.digest(secret, whole, hashlib.sha256)


def test_every_kind_of_fact_comes_back(tmp_path: Path) -> None:
    """With the versions of entities, the seal, and every index; and what comes back is valid."""
    shelf, seen = shelf_in(tmp_path), furnished()
    kept(shelf, seen)
    back = found(shelf, ACME)
    assert (back.revision, back.seal) == (seen.state.revision, seen.seal)
    read = back.read()
    assert (read.state, read.versions, read.seal) == (seen.state, seen.versions, seen.seal)
    assert valid(read.state) == ()
    assert shelf.tally() == ShelfCounts(written=1)


def test_files_are_the_owners_alone_and_their_names_tell_nothing(tmp_path: Path) -> None:
    """Folder and files; the same organization has the same name, another one another."""
    folder = tmp_path / "deep" / "snapshots"
    shelf = shelf_in(folder)
    path = kept(shelf, small())
    assert list(folder.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "acme" not in path.name
    assert path == shelf_in(folder).path(ACME) != shelf.path(OTHER)
    assert path != shelf_in(folder, b"t" * 32).path(ACME)


def test_no_byte_can_be_touched(tmp_path: Path) -> None:
    """Each byte of a small file, in one bit and in all of them; nothing is believed or raised."""
    shelf = shelf_in(tmp_path)
    path = kept(shelf, small())
    whole = path.read_bytes()
    spoilt = [
        whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1 :]
        for at in range(len(whole))
        for mask in (0x01, 0xFF)
    ]
    assert [one for one in spoilt if believed(shelf, path, one)] == []
    assert shelf.tally().ignored == len(spoilt) == 2 * len(whole) > 200
    assert believed(shelf, path, whole)


def test_no_byte_can_be_missing_or_too_many(tmp_path: Path) -> None:
    """A file that ends at each of its lengths, or goes on."""
    shelf = shelf_in(tmp_path)
    path = kept(shelf, small())
    whole = path.read_bytes()
    assert [at for at in range(len(whole)) if believed(shelf, path, whole[:at])] == []
    assert not believed(shelf, path, whole + b"\0")


def believed(shelf: SnapshotFiles, path: Path, content: bytes) -> bool:
    """Whether a file with that content is taken."""
    path.write_bytes(content)
    return shelf.find(ACME) is not None


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_bytes(sealed(HEADER, secret=b"t" * 32)), "another key"),
        (
            lambda path: path.write_bytes(
                sealed(msgspec.structs.replace(HEADER, organization="other"))
            ),
            "of another organization",
        ),
        (lambda path: path.write_bytes(closed(b"").replace(b"-3\n", b"-2\n")), "another version"),
        (lambda path: path.write_bytes(closed(b"")), "not what this version writes"),
        (lambda path: path.write_bytes(sealed(Groups([]))), "not what this version writes"),
        (lambda path: path.mkdir(), "Is a directory"),
        (os.mkfifo, "no file"),
        (lambda path: path.symlink_to("elsewhere"), "symbolic links"),
    ],
)
def test_what_is_not_ours_is_passed_over(
    spoil: Callable[[Path], object], why: str, tmp_path: Path
) -> None:
    """With one line that says why, and never an exception."""
    shelf = shelf_in(tmp_path)
    spoil(shelf.path(ACME))
    with capture_logs() as logs:
        assert shelf.find(ACME) is None
    (line,) = logs
    assert (line["event"], line["organization"]) == ("snapshot file ignored", ACME)
    assert why in line["why"]
    assert shelf.tally() == ShelfCounts(ignored=1)


def test_a_file_of_another_organization_put_in_its_place_is_passed_over(tmp_path: Path) -> None:
    """It is whole and ours, and says of whom it is."""
    shelf = shelf_in(tmp_path)
    shutil.copy(kept(shelf, small(OTHER)), shelf.path(ACME))
    assert shelf.find(ACME) is None
    assert shelf.find(OTHER) is not None


def test_a_file_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    """It counts as nothing: so it is at the first start of each organization."""
    shelf = shelf_in(tmp_path)
    assert shelf.find(ACME) is None
    assert shelf.tally() == ShelfCounts()


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can write the folder must not fill the memory."""
    shelf = shelf_in(tmp_path)
    size = kept(shelf, small()).stat().st_size
    monkeypatch.setattr(snapshot_files, "FILE_BYTES_MAX", size)
    assert shelf.find(ACME) is not None
    monkeypatch.setattr(snapshot_files, "FILE_BYTES_MAX", size - 1)
    assert shelf.find(ACME) is None


ROLES = Roles([("one", 1), ("two", 2)])
KINDS = Kinds([("file", 1)])
PEOPLE = Principals(["ann", "bob"], [(), ()], [], [], [], [], [3, 3])
changed = msgspec.structs.replace


@pytest.mark.parametrize(
    "parts",
    [
        (Roles([("not an id", 1)]),),
        (Roles([("one", 0)]),),
        (Roles([("one", 6)]),),
        (ROLES, ROLES),
        (ROLES, Inheritances([(0, [2])])),
        (ROLES, Inheritances([(-1, [0])])),
        (Groups([("one", 1)]), Nestings([(0, [1], (), [])])),
        (Resources([("docs", 0, None, {}, 1)]),),
        (KINDS, Resources([("docs", 0, "nowhere", {}, 1)])),
        (KINDS, Resources([("role:one", 0, None, {}, 1)])),
        (ROLES, SodSets([("set", [0], 2, "static", 1)])),
        (ROLES, Claims([("claim", 2, None, ("any", None), [], 1)])),
        (ROLES, Claims([("claim", 0, None, ("exactly", None), [], 1)])),
        (ROLES, Claims([("claim", 0, None, ("any", "docs"), [], 1)])),
        (ROLES, Claims([("claim", 0, None, ("any", None), [0], 1)])),
        (Constraints([RateRow(0)]),),
        (PEOPLE, PEOPLE),
        (changed(PEOPLE, ids=["ann", "ann"]),),
        (changed(PEOPLE, ids=["ann", "not an id"]),),
        (changed(PEOPLE, ids=["ann"]),),
        (changed(PEOPLE, held=[[]]),),
        (changed(PEOPLE, revisions=[3]),),
        (changed(PEOPLE, revisions=[3, 6]),),
        (changed(PEOPLE, suspended=[2]),),
        (ROLES, changed(PEOPLE, held=[[2], []])),
        (ROLES, changed(PEOPLE, timed=[(0, [(0, 9, 8)])])),
        (ROLES, changed(PEOPLE, timed=[(2, [(0, 8, 9)])])),
        (changed(PEOPLE, groups=[(0, [0])]),),
        (changed(PEOPLE, attributes=[(0, {"id": 1})]),),
        (changed(PEOPLE, attributes=[(0, {"a": 2**63})]),),
        (changed(PEOPLE, attributes=[(2, {"a": 1})]),),
        (HEADER,),
    ],
)
def test_no_illegal_fact_can_be_read(parts: tuple[Part, ...], tmp_path: Path) -> None:
    """Though it is sealed: what leads nowhere, what is there twice, what no rule allows."""
    shelf = shelf_in(tmp_path)
    shelf.path(ACME).write_bytes(sealed(HEADER, *parts))
    with pytest.raises(Damaged, match="not what this version writes"):
        found(shelf, ACME).read()


def test_legal_rows_of_that_kind_are_read(tmp_path: Path) -> None:
    """So that it is not for another reason that the illegal ones are refused."""
    shelf = shelf_in(tmp_path)
    claims = Claims([("claim", 1, None, ("any", None), [0], 1)])
    people = changed(PEOPLE, held=[[1], []], timed=[(1, [(0, 8, 9)])], suspended=[1])
    parts = (ROLES, KINDS, Constraints([RateRow(1)]), claims, people)
    shelf.path(ACME).write_bytes(sealed(HEADER, *parts))
    assert valid(found(shelf, ACME).read().state) == ()


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_parts_that_do_not_end_are_not_read(cut: int, tmp_path: Path) -> None:
    """In the middle of a length, or of a part."""
    shelf = shelf_in(tmp_path)
    body = sealed(HEADER, ROLES)[len(MAGIC) : -32]
    whole = body + body[-len(body) // 4 :]
    for content in (body[:-cut], whole):
        shelf.path(ACME).write_bytes(closed(content))
        with pytest.raises(Damaged):
            found(shelf, ACME).read()


def test_a_full_disk_is_one_line_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No draft is left, and the next attempt works."""
    shelf = shelf_in(tmp_path)
    before = kept(shelf, small()).read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, capture_logs() as logs:
        patch.setattr(os, "fsync", full)
        assert not shelf.keep(furnished(), at_once)
    (line,) = logs
    assert (line["event"], line["why"]) == ("snapshot file not written", "No space left on device")
    assert list(tmp_path.iterdir()) == [shelf.path(ACME)]
    assert shelf.path(ACME).read_bytes() == before
    assert shelf.keep(furnished(), at_once)
    assert shelf.tally() == ShelfCounts(written=2, failed=1)


def test_who_has_no_time_to_end_leaves_the_old_file(tmp_path: Path) -> None:
    """And it is neither an error nor a file that was written."""
    shelf = shelf_in(tmp_path)
    before = kept(shelf, small()).read_bytes()
    turns = iter([True, True, False])
    assert not shelf.keep(furnished(), lambda: next(turns))
    assert list(tmp_path.iterdir()) == [shelf.path(ACME)]
    assert shelf.path(ACME).read_bytes() == before
    assert shelf.tally() == ShelfCounts(written=1)


@pytest.mark.parametrize(
    "lost", [Membership(ANN, STAFF), Assignment(ANN, CLERK), GroupAssignment(STAFF, CLERK)]
)
def test_what_would_lose_a_fact_is_not_written(
    lost: Membership | Assignment | GroupAssignment, tmp_path: Path
) -> None:
    """A state that is not valid: somebody who is not there holds something."""
    state = made_of(*roles(CLERK), lost, revision=1)
    seen = Versioned(state, Versions().after(Delta((), roles(CLERK))), "5ea1")
    shelf = shelf_in(tmp_path)
    with capture_logs() as logs:
        assert not shelf.keep(seen, at_once)
    assert logs[0]["why"] == "somebody who is not there holds something"
    assert list(tmp_path.iterdir()) == []


def test_what_stands_at_no_known_event_is_not_written(tmp_path: Path) -> None:
    """The store could not say whether it is of its history."""
    seen = small()
    shelf = shelf_in(tmp_path)
    assert not shelf.keep(Versioned(seen.state, seen.versions), at_once)
    assert list(tmp_path.iterdir()) == []


def test_drafts_of_processes_that_died_go_and_others_stay(tmp_path: Path) -> None:
    """A draft that somebody writes may be as old as a write takes."""
    old, young = tmp_path / "a.part", tmp_path / "b.part"
    for draft in (old, young):
        draft.touch()
    then = young.stat().st_mtime - DRAFT_SECONDS_MAX - 60
    os.utime(old, (then, then))
    shelf_in(tmp_path)
    assert list(tmp_path.iterdir()) == [young]


def test_what_is_discarded_is_gone(tmp_path: Path) -> None:
    """Twice is as good as once."""
    shelf = shelf_in(tmp_path)
    kept(shelf, small())
    shelf.discard(ACME)
    shelf.discard(ACME)
    assert list(tmp_path.iterdir()) == []
