"""One revision, answering questions line by line: `python -m specs.against.answering`.

It runs in a process of its own, with the sources of the revision first on the path, and imports
nothing of the product but the core. A line in is a JSON object, and so is a line out.
"""

import dataclasses
import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Iterator
from functools import partial, reduce
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from specs.against.plain import CORE, Inexpressible, attempted, decode

MODULES: Final = ("attributes", "constraints", "identifiers", "model", "matching", "organization")


class Revision:
    """The core as the path has it."""

    def __init__(self) -> None:
        for module in MODULES:
            importlib.import_module(f"{CORE}.{module}")
        self.organization = importlib.import_module(f"{CORE}.organization")
        self.policy = importlib.import_module(f"{CORE}.policy")
        self.certificate = importlib.import_module(f"{CORE}.certificate")
        there = importlib.util.find_spec(f"{CORE}.index") is not None
        self.index = importlib.import_module(f"{CORE}.index") if there else None

    def answers(self, told: dict[str, Any]) -> list[Any]:
        """Return the answer to each question on the organization of the facts."""
        state = None if told["facts"] is None else self.state(told)
        index = None if state is None or self.index is None else self.index.Index(state)
        found = [self.answer((state, index), *question) for question in told["questions"]]
        if state is not None:
            self.forge(state, told["questions"], found)
        return found

    def state(self, told: dict[str, Any]) -> Any:
        """Return the organization of exactly these facts, in the order in which they come."""
        empty = self.organization.Organization(decode(told["organization"]))
        return reduce(self.organization.with_fact, map(decode, told["facts"]), empty)

    def answer(self, asked_of: tuple[Any, Any], request: Any, context: Any) -> dict[str, Any]:
        """Return what the definition says and what the index says."""
        state, index = asked_of
        try:
            asked = (decode(request), decode(context))
            found = {"evaluate": attempted(lambda: self.policy.evaluate(state, *asked))}
            if index is not None:
                found["index"] = attempted(lambda: index.decide(*asked))
        except Inexpressible as problem:
            return {"inexpressible": str(problem)}
        return found

    def forge(self, state: Any, questions: list[Any], found: list[Any]) -> None:
        """Add what the checker says of each certificate, and of mixtures with the one before."""
        allowed = [
            (place, decode(answer["evaluate"]["with"]["certificate"]))
            for place, answer in enumerate(found)
            if "with" in answer.get("evaluate", {}) and "certificate" in answer["evaluate"]["with"]
        ]
        for (_, before), (place, shown) in pairwise([*allowed[-1:], *allowed]):
            check = partial(self.certificate.check, state, *map(decode, questions[place]))
            shown_too = (shown, *mixtures(shown, before))
            found[place]["check"] = [attempted(partial(check, certificate=c)) for c in shown_too]

    def call(self, told: dict[str, Any]) -> Any:
        """Return what one function gives for the arguments, by name."""
        module, function = told["module"], told["function"]
        target: Any = importlib.import_module(module)
        for part in function.split("."):
            target = getattr(target, part)
        arguments = {name: decode(value) for name, value in told["arguments"].items()}
        names = list(inspect.signature(target).parameters)
        plain = [arguments[name] for name in names if name in arguments]
        keywords = {
            one.name: arguments[one.name]
            for one in inspect.signature(target).parameters.values()
            if one.kind is one.KEYWORD_ONLY
        }
        return attempted(lambda: target(*plain[: len(plain) - len(keywords)], **keywords))


def mixtures(shown: Any, other: Any) -> Iterator[Any]:
    """Yield the certificate with each field as the other certificate has it."""
    for field in dataclasses.fields(shown):
        yield dataclasses.replace(shown, **{field.name: getattr(other, field.name)})


def answered(revision: Revision, told: dict[str, Any]) -> Any:
    """Return the reply to a line; a problem is one too."""
    try:
        if "function" in told:
            return {"answer": revision.call(told)}
        return {"answers": revision.answers(told)}
    except Exception as problem:  # noqa: BLE001 - the other end tells it, whatever it is
        return {"problem": f"{type(problem).__name__}: {problem}"}


def main() -> None:
    """Say whose sources these are, then answer until there is nothing more to answer."""
    home = Path(importlib.import_module(CORE).__file__ or "").parent
    revision = Revision()
    sys.stdout.write(json.dumps({"home": str(home)}) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answered(revision, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
