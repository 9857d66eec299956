"""Both revisions, each in a process of its own, asked the same; where they differ is shown."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from grantproof.core.commands.delta import ORDER
from grantproof.core.constraints import Context
from grantproof.core.matching import Request
from specs.against.plain import encode, said
from specs.faults.small import words
from specs.faults.small.property import without
from specs.faults.small.worlds import ACME, Facts

ROOT: Final = Path(__file__).resolve().parents[2]
ENTRIES: Final = ("evaluate", "index", "check")
AS_IT_IS: Final = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "VIRTUAL_ENV")

Question = tuple[Request, Context]
World = tuple[Facts | None, tuple[Question, ...]]


class Silent(Exception):
    """A revision cannot be asked: the message says why."""


@dataclass(frozen=True)
class Difference:
    """What was asked of whom, which of its entries differ, and both answers in words."""

    entry: str
    facts: Facts | None
    question: Question
    old: str
    new: str

    def story(self) -> tuple[str, ...]:
        """Return it as lines for people."""
        told = "no organization" if self.facts is None else "; ".join(words.told(self.facts))
        return (
            f"given: {told or 'an empty organization'}",
            f"asked: {words.question(*self.question)}",
            f"entry: {self.entry}",
            f"old:   {self.old}",
            f"new:   {self.new}",
        )


class Revision:
    """One of the revisions, in a process that imports its core from `source` and nothing else."""

    def __init__(self, source: Path) -> None:
        path = os.pathsep.join((str(source), str(ROOT)))
        kept = {name: os.environ[name] for name in AS_IT_IS if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-m", "specs.against.answering"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**kept, "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
            cwd=source,
            text=True,
        )
        home = self.hear()["home"]
        if not Path(home).is_relative_to(source.resolve()):
            self.close()
            message = f"the core is imported from {home}, not from {source}"
            raise Silent(message)

    def tell(self, line: dict[str, Any]) -> None:
        """Put a question, whose reply is to be heard. Raises `Silent` where nobody listens."""
        if self._process.stdin is None:
            raise Silent("the revision cannot be asked")
        try:
            self._process.stdin.write(json.dumps(line) + "\n")
            self._process.stdin.flush()
        except OSError as problem:
            raise Silent(str(problem)) from problem

    def hear(self) -> Any:
        """Return the reply to what was told. Raises `Silent` where the process has ended."""
        line = "" if self._process.stdout is None else self._process.stdout.readline()
        if line == "":
            self._process.wait()
            told = "" if self._process.stderr is None else self._process.stderr.read()
            raise Silent(f"the core cannot be run: {(told.strip() or '?').splitlines()[-1]}")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


class Pair:
    """The old revision and the new one, asked together."""

    def __init__(self, old: Path, new: Path) -> None:
        self.asked = 0
        self.skipped: dict[str, int] = {}
        self._old = Revision(old)
        try:
            self._new = Revision(new)
        except Silent:
            self._old.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._old.close()
        self._new.close()

    def difference(self, world: World) -> Difference | None:
        """Return the first question of a world that they answer differently, or nothing."""
        facts, questions = world
        line = lines(facts, questions)
        old, new = self._both(line)
        problem = old.get("problem") or new.get("problem")
        if problem:
            self._skip(problem, len(questions))
            return None
        for question, one, other in zip(questions, old["answers"], new["answers"], strict=True):
            found = self._compared(one, other)
            if found is not None:
                return Difference(found, facts, question, *told(found, one, other))
        return None

    def _compared(self, old: dict[str, Any], new: dict[str, Any]) -> str | None:
        """Return the entry whose answers differ, or nothing."""
        problem = old.get("inexpressible") or new.get("inexpressible")
        if problem:
            self._skip(problem, 1)
            return None
        self.asked += 1
        both = [name for name in ENTRIES if name in old and name in new]
        return next((name for name in both if old[name] != new[name]), None)

    def _both(self, line: dict[str, Any]) -> tuple[Any, Any]:
        self._old.tell(line)
        self._new.tell(line)
        return self._old.hear(), self._new.hear()

    def _skip(self, why: str, number: int) -> None:
        self.skipped[why] = self.skipped.get(why, 0) + number

    def call(self, function: tuple[str, str], arguments: dict[str, Any]) -> tuple[Any, Any]:
        """Return what either revision's function gives; raises `Silent` where one has no such."""
        module, name = function
        line = {"module": module, "function": name, "arguments": arguments}
        old, new = self._both(line)
        problem = old.get("problem") or new.get("problem")
        if problem:
            raise Silent(problem)
        return old["answer"], new["answer"]

    def search(self, worlds: Iterable[World]) -> Difference | None:
        """Return a difference, made as small as dropping facts makes it, or nothing."""
        for world in worlds:
            found = self.difference(world)
            if found is not None:
                return self._shrunk(found)
        return None

    def _shrunk(self, found: Difference) -> Difference:
        for fact in reversed(found.facts or ()):
            if found.facts is None or fact not in found.facts:
                continue
            fewer = without(found.facts, fact)
            smaller = self.difference((fewer, (found.question,)))
            if len(fewer) < len(found.facts) and smaller and smaller.entry == found.entry:
                found = smaller
        return found


def lines(facts: Facts | None, questions: Sequence[Question]) -> dict[str, Any]:
    """Return a world as the JSON object that a revision is asked with."""
    return {
        "organization": encode(ACME),
        "facts": None if facts is None else list(ordered(facts)),
        "questions": [[encode(request), encode(context)] for request, context in questions],
    }


def ordered(facts: Facts) -> Iterator[Any]:
    """Yield the facts in an order in which they can be added."""
    yield from map(encode, sorted(facts, key=lambda fact: ORDER[type(fact)]))


def told(entry: str, old: dict[str, Any], new: dict[str, Any]) -> tuple[str, str]:
    """Return both answers in words."""
    one, other = old.get(entry), new.get(entry)
    if entry == "check":
        return f"the checker says {accepts(one)}", f"the checker says {accepts(other)}"
    return in_words(one, other), in_words(other, one)


def accepts(answers: Any) -> str:
    """Return which of the certificates shown are accepted."""
    return ", ".join(said(one) for one in answers or ()) or "nothing: there is no certificate"


def in_words(decision: Any, beside: Any) -> str:
    """Return a decision: the claim or the reason, and of two certificates what is not the same."""
    match decision, beside:
        case {"with": {"certificate": {"with": shown}}}, {"with": {"certificate": other}}:
            apart = {
                name: said(one) for name, one in shown.items() if other["with"].get(name) != one
            }
            return f"Allow, by the claim {said(shown['claim']['with']['id'])}, with {apart}"
        case {"with": {"certificate": {"with": shown}}}, _:
            return f"Allow, by the claim {said(shown['claim']['with']['id'])}"
        case {"with": {"reason": reason}}, _:
            return f"Deny: {said(reason)}"
        case _:
            return said(decision)
