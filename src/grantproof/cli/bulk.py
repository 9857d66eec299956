"""Many assignments from a file: streamed, in batches that are each one change, and resumed.

A batch is made once, by its receipt: the same command on the same file goes on where the last one
stopped, killed or not.
"""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final, Literal

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import ExitCode, Stop, absent, unusable, usage
from grantproof.cli.local import unsound
from grantproof.cli.operator import Batches, Operator
from grantproof.cli.output import complain, tell, tell_json
from grantproof.cli.progress import progress

if TYPE_CHECKING:
    from grantproof.core.errors import SingleRefusal
    from grantproof.policyfile.assignment_lines import Assign, ReadLine
    from grantproof.service.pap import Proposed
    from grantproof.service.receipts import Once

app = group("Assignments, many at once.")

STANDARD_INPUT: Final = "-"
BATCH_MAX: Final = 100_000
LINE_BYTES_MAX: Final = 64 * 1024
BLOCK_BYTES: Final = 1024 * 1024
BATCHES_PER_LINE: Final = 10
"""So many batches lie between two lines that say how far it is, where there is no bar."""

Form = Literal["csv", "jsonl"]
ENDINGS: Final[dict[str, Form]] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}

File = Annotated[
    str, typer.Argument(metavar="FILE", help="One assignment a line; - is the standard input.")
]
Format = Annotated[
    Form | None, typer.Option("--format", help="How it is written. Default: what FILE ends in.")
]
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch", metavar="N", min=1, max=BATCH_MAX, help="So many lines are one change."
    ),
]
OnRefusal = Annotated[
    Literal["stop", "skip"],
    typer.Option("--on-refusal", help="Stop at a line that is refused, or leave it out."),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="What the import is resumed by. Default: the file's path."
    ),
]


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of the file, by number; `digest` is of all that it says up to their end."""

    number: int
    first: int
    last: int
    lines: tuple[tuple[int, str], ...]
    digest: str


@dataclass(slots=True)
class ImportCounts:
    """What an import has come to so far; the revision is that of its last change."""

    revision: int | None = None
    assigned: int = 0
    refused: int = 0
    batches: int = 0
    before: int = 0
    lines: int = 0


@command(app, "import")
def import_assignments(
    operator: Operator,
    file: File,
    *,
    form: Format = None,
    batch: BatchSize = 5_000,
    on_refusal: OnRefusal = "stop",
    name: Name = None,
) -> None:
    """Assign roles as the lines of a file say; run it again to go on where it stopped.

    CSV has a header of principal or group, role, from, until; JSON Lines an object a line.
    """
    written = form or ENDINGS.get(Path(file).suffix.lower())
    if written is None:
        raise usage(f"`{file}` does not say how it is written: add --format csv or jsonl")
    if file == STANDARD_INPUT and name is None:
        raise usage("the standard input has no name to resume by: add --name")
    called = str(Path(file).resolve()) if name is None else name
    with _opened(file) as stream:
        importing = _Import(operator, file, called, skip=on_refusal == "skip")
        importing.run(stream, written, batch)


@dataclass(slots=True)
class _Import:
    operator: Operator
    file: str
    name: str
    skip: bool
    tally: ImportCounts = field(default_factory=ImportCounts)

    def run(self, stream: IO[bytes], written: Form, batch: int) -> None:
        from grantproof.service.collector import collector_paused

        # What is made stays, and whatever does not ends with the command.
        with collector_paused():
            self._run(stream, written, batch)
        self._tell()

    def _run(self, stream: IO[bytes], written: Form, batch: int) -> None:
        source = Source(stream, self.file)
        read = source.reader(written)
        point = self.operator.batches()
        if self.skip:
            point.check_skipping()
        here = 1
        with progress() as bar:
            bar.begin("assigning", _count(self.file))
            try:
                for some in source.batches(batch):
                    here = some.first
                    self._batch(point, some, read)
                    self.tally.lines += some.last - some.first + 1
                    bar.advance(some.last - some.first + 1)
                    if not sys.stderr.isatty() and (some.number + 1) % BATCHES_PER_LINE == 0:
                        complain(f"{self.file}:{some.last}: {self.tally.assigned} assigned")
            except KeyboardInterrupt:
                line = f"stopped in the lines from {here}: the same command goes on there"
                raise Stop(ExitCode.NO, line) from None

    def _batch(self, point: "Batches", some: Lines, read: "ReadLine") -> None:
        from grantproof.service.bulk import Batch, batch_key

        once = batch_key(self.name, some.number, some.digest)
        if self._made_before(point, once, some):
            return
        numbered = self._understood(some, read)
        if not numbered:
            return
        wanted = Batch(once, tuple(command for _, command in numbered))
        lines = [number for number, _ in numbered]
        if not self.skip:
            self._settle(point.send(wanted), some, lines)
            return
        sent = point.send_what_can_be(wanted)
        if sent.outcome is not None:
            self._settle(sent.outcome, some, lines, left_out=len(sent.left_out))
        for position, refusal in sent.left_out.items():
            self._leave_out(lines[position], _reason(refusal))

    def _made_before(self, point: "Batches", once: "Once", some: Lines) -> bool:
        """Whether the batch is done already, which needs no look at its lines."""
        known = point.recall(once)
        if known is None:
            return False
        self._settle(known, some, [])
        return True

    def _understood(self, some: Lines, read: "ReadLine") -> "list[tuple[int, Assign]]":
        found: list[tuple[int, Assign]] = []
        for number, line in some.lines:
            try:
                found.append((number, read(line)))
            except ValueError as error:
                if not self.skip:
                    where = f"{self.file}:{number}: {error}"
                    raise Stop(ExitCode.USAGE, where, _resume(some)) from None
                self._leave_out(number, str(error))
        return found

    def _leave_out(self, number: int, reason: str) -> None:
        self.tally.refused += 1
        complain(f"{self.file}:{number}: {reason}")

    def _settle(
        self, outcome: "Proposed | int", some: Lines, lines: list[int], *, left_out: int = 0
    ) -> None:
        from grantproof.cli.witness import guard_refused
        from grantproof.core.commands import Accepted, Rejected
        from grantproof.service.guarding import Broken, Unjudged
        from grantproof.service.pap import NoOrganization, Unsound
        from grantproof.service.receipts import KeyReused, Repeated

        match outcome:
            case Accepted(event=event):
                self._made(event.revision, len(lines) - left_out)
            case int():
                self._made(outcome, len(lines) - left_out)
            case Repeated(revision):
                self.tally.revision = revision
                self.tally.before += 1
            case Rejected(refusal):
                raise self._refused(refusal, some, lines)
            case KeyReused():
                where = f"{self.file}: lines {some.first} to {some.last}"
                why = f"{where} are not those that were imported before, or --batch is not the same"
                raise Stop(ExitCode.NO, f"{why}: a new import takes another --name")
            case NoOrganization():
                raise absent("organization", self.operator.organization)
            case Unsound(violations):
                raise unsound(violations)
            case Broken() | Unjudged() as guarded:
                where = f"{self.file}: lines {some.first} to {some.last}: "
                raise guard_refused(guarded, place=where)
            case _:
                line = f"other writers were faster, at line {some.first}: run it again to go on"
                raise Stop(ExitCode.UNDETERMINED, line)

    def _made(self, revision: int, assigned: int) -> None:
        self.tally.revision = revision
        self.tally.batches += 1
        self.tally.assigned += assigned

    def _refused(self, refusal: object, some: Lines, lines: list[int]) -> Stop:
        from grantproof.cli.witness import refused
        from grantproof.core.errors import RefusedAt

        if not isinstance(refusal, RefusedAt):
            message = "a change set is refused at one of its commands"
            raise TypeError(message)
        number = lines[refusal.position]
        end = refused(refusal.refusal, place=f"{self.file}:{number}: ")
        document = {**(end.document or {}), "line": number, "resume_line": some.first}
        return Stop(end.code, *end.lines, _resume(some), document=document, tree=end.tree)

    def _tell(self) -> None:
        tally, organization = self.tally, self.operator.organization
        nothing = tally.batches == 0 and tally.refused == 0
        if self.operator.json:
            tell_json(
                {
                    "outcome": "nothing_to_do" if nothing else "accepted",
                    "organization": organization,
                    "revision": tally.revision,
                    "lines": tally.lines,
                    "assigned": tally.assigned,
                    "refused": tally.refused,
                    "batches": tally.batches,
                    "batches_before": tally.before,
                }
            )
        elif nothing and tally.before == 0:
            tell(f"nothing to do: `{self.file}` names no assignment")
        elif nothing:
            tell(f"nothing to do: every line of `{self.file}` was imported before")
        else:
            told = f"assigned {tally.assigned} in {_changes(tally.batches)}"
            told += f", left out {tally.refused}" if tally.refused else ""
            if tally.before:
                were = "was" if tally.before == 1 else "were"
                told += f", {_changes(tally.before)} {were} made before"
            at = "" if tally.revision is None else f", revision {tally.revision}"
            tell(f"{told} ({organization}{at})")


def _changes(count: int) -> str:
    return "1 change" if count == 1 else f"{count} changes"


class Source:
    """A file read line by line, once; what was read is digested on the way."""

    def __init__(self, stream: IO[bytes], file: str) -> None:
        self._stream = stream
        self._file = file
        self._number = 0
        self._digest = hashlib.sha256()

    def reader(self, written: Form) -> "ReadLine":
        """Return how lines are read; takes the header of CSV. Raises `Stop` if it is not one."""
        from grantproof.policyfile.assignment_lines import csv_lines, json_line

        self._digest.update(written.encode())
        if written == "jsonl":
            return json_line
        try:
            return csv_lines(self._line() or "")
        except ValueError as error:
            raise usage(f"{self._file}:1: {error}") from None

    def batches(self, size: int) -> Iterator[Lines]:
        """Yield the lines, so many at once; empty ones count but say nothing."""
        number, first, some = 0, self._number + 1, list[tuple[int, str]]()
        while (line := self._line()) is not None:
            if line.strip():
                some.append((self._number, line))
            if self._number - first + 1 == size:
                yield self._lines(number, first, some)
                number, first, some = number + 1, self._number + 1, []
        if some:
            yield self._lines(number, first, some)

    def _lines(self, number: int, first: int, some: list[tuple[int, str]]) -> Lines:
        return Lines(number, first, self._number, tuple(some), self._digest.hexdigest())

    def _line(self) -> str | None:
        try:
            line = self._stream.readline(LINE_BYTES_MAX + 1)
        except OSError as error:
            raise unusable(self._file, "read", error) from None
        if line == b"":
            return None
        self._number += 1
        place = f"{self._file}:{self._number}"
        if len(line) > LINE_BYTES_MAX:
            raise usage(f"{place}: must have at most {LINE_BYTES_MAX} bytes")
        # How a line ends says nothing, so that the last one may lack its end.
        line = line.rstrip(b"\r\n")
        self._digest.update(line + b"\n")
        try:
            return line.decode("utf-8-sig" if self._number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise usage(f"{place}: not UTF-8") from None


def _reason(refusal: "SingleRefusal") -> str:
    from grantproof.core.messages import refusal_message

    return refusal_message(refusal)


def _resume(some: Lines) -> str:
    return (
        f"nothing of lines {some.first} to {some.last} was assigned, all before is:"
        f" mend the file and run it again, it goes on from line {some.first}"
    )


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise unusable(file, "read", error) from None
        yield stream


def _count(file: str) -> int | None:
    """Return how many lines a file has; nothing for what can be read only once, or by no bar."""
    path = Path(file)
    if not sys.stderr.isatty() or not path.is_file():
        return None
    with path.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(BLOCK_BYTES), b""))
