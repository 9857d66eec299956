"""Which tests find a mutant out, where no proof reads the source or says enough of it."""

from functools import cache
from typing import Final

from specs.kernel.source import Source
from specs.manifest import CORE
from specs.mutants.changes import Mutant
from specs.mutants.trial import ending

PASSED: Final = 0
FAILED: Final = (1, 2, 4)
"""What pytest exits with where a test fails, and where nothing can be imported or set up."""

TRIED: Final[dict[str, str]] = {
    f"{CORE}administration": "proved is that one is left; whom it finds is tested",
    f"{CORE}certificate": (
        "a checker that skips a step is not proved, and no counterexample is found in time"
    ),
}
"""The modules whose mutants are held to tests instead of the proofs that read them, and why."""

TRIED_TOO: Final[dict[str, str]] = {
    **dict.fromkeys(
        (f"{CORE}commands.{name}" for name in ("bounds", "delta", "guarding", "refusal")),
        "read by the theorems about all commands: what a short search in those about its own "
        "leaves the tests find out, before a theorem is decided in full",
    ),
    f"{CORE}invariants": (
        "one theorem reads all the checks of references: what a short search in it leaves the "
        "tests of each find out, before it is decided in full"
    ),
}
"""The modules whose mutants are held to the nearest proofs first, to tests second, and why.

Where none is near the tests are first; the other proofs come last.
"""

ELSEWHERE: Final[dict[str, tuple[str, ...]]] = {
    f"{CORE}commands": ("tests/unit/core/commands/test_apply.py",),
    f"{CORE}commands.origin": ("tests/unit/core/commands/test_apply.py",),
    f"{CORE}commands.refusal": (
        "tests/unit/core/commands/test_refusal.py",
        "tests/unit/core/commands/test_references.py",
    ),
    f"{CORE}index": ("tests/unit/core/test_index.py", "tests/unit/core/test_index_kept.py"),
    f"{CORE}ways": ("tests/unit/core/test_ways.py", "tests/unit/core/test_candidates.py"),
}
"""The tests of the modules whose tests are not in the one file that is named like the module."""

ARGUED: Final[dict[str, str]] = {
    f"{CORE}agreement._same: ours is theirs or bool(ours == theirs) -> bool(ours == theirs)": (
        "what is one object is equal to itself: asked first as it is fast"
    ),
    f"{CORE}agreement.unfaithful: len(delta.removed) > 0 -> len(delta.removed) >= 0": (
        "of nothing removed none is there or not: not to look is only faster"
    ),
    f"{CORE}authority._lacking: reason is None or isinstance(reason, ABSENT) -> "
    "isinstance(reason, ABSENT)": "at least one resource is asked about, so there is a reason",
    **dict.fromkeys(
        (
            f"{CORE}authority._own: stored is None or not stored.active -> {other}"
            for other in (
                "stored is None and (not stored.active)",
                "not stored.active",
                "stored is None",
            )
        ),
        "a grant is asked for after a right, which whoever is absent or suspended does not have",
    ),
    f"{CORE}attributes.check_text: not text.isascii() and "
    "any(('\\ud800' <= character <= '\\udfff' for character in text)) -> "
    "any(('\\ud800' <= character <= '\\udfff' for character in text))": (
        "no character of ASCII is half a surrogate pair: asked first as it is fast"
    ),
    f"{CORE}certificate._resource_path: "
    "isinstance(claim.resource, Within) and claim.resource.value in target.lineage -> "
    "isinstance(claim.resource, Within)": (
        "asked of a claim that matches, and one on what lies within matches nothing else"
    ),
    f"{CORE}evolving.<module>: if TYPE_CHECKING -> if not TYPE_CHECKING": (
        "what the type checker reads gives the same value, and takes ten times as long"
    ),
    f"{CORE}identifiers.Identifier._are_legal: "
    "max(map(len, texts), default=0) <= cls.length_max -> "
    "max(map(len, texts), default=0) < cls.length_max": (
        "texts as long as they may be are then made one by one: the same, and slower"
    ),
    f"{CORE}index.Index._forget: entries is not None and resources is not None -> "
    "entries is not None": "where there are entries and no resources, the case before has it",
    f"{CORE}index.Index._key: action in ADMINISTRATIVE_ACTIONS -> "
    "action not in ADMINISTRATIVE_ACTIONS": (
        "two names of entries are exchanged: all that matters is that they are two"
    ),
    f"{CORE}matching._unregistered: "
    "request.kind is None or request.kind not in state.resources_of_kind -> "
    "request.kind not in state.resources_of_kind": "no kind is nothing: said for the reader",
    **dict.fromkeys(
        (
            f"{CORE}model.{entity}.__post_init__: "
            "len(self.attributes) > 0 -> len(self.attributes) >= 0"
            for entity in ("Principal", "Resource")
        ),
        "of no attributes none is boolean, as the field has it: not to ask is only faster",
    ),
    **dict.fromkeys(
        (
            f"{CORE}metering.evaluate: state is None or target is None or (not contested) -> "
            f"{other} is None or not contested"
            for other in ("state", "target")
        ),
        "without a state there is no target, and what has none is denied for that: not contested",
    ),
    f"{CORE}paths.shortest_path: frontier and goal not in came_from -> frontier": (
        "how a node was reached first is never changed: to stop at the goal is only faster"
    ),
    f"{CORE}sessions.within: session is not None and in_force(request, session, instant) -> "
    "in_force(request, session, instant)": "what is not there is not in force: asked for the types",
    **dict.fromkeys(
        (
            f"{CORE}shortfall.Shortfalls.nearest: {change}"
            for change in (
                "len(ways) > 1 and holding.isdisjoint(roles) -> holding.isdisjoint(roles)",
                "len(ways) > 1 -> len(ways) >= 1",
            )
        ),
        "where there is one claim it is open to the roles: not to ask is only faster",
    ),
    **dict.fromkeys(
        (
            f"{CORE}shortfall.Shortfalls.nearest: {change}"
            for change in (
                "hours is not None and (not hours[at]) -> hours is not None",
                "regions is not None and region not in regions -> regions is not None",
                *(
                    f"{count}_below is not None and ({count} is None or {count} >= {count}_below)"
                    f" -> {count}_below is not None"
                    for count in ("usage", "rate")
                ),
            )
        ),
        "one of them fails, so with what does not they are two: then all are looked through",
    ),
    f"{CORE}shortfall.Shortfalls.nearest: (failing, claim) < (fewest, nearest) -> "
    "(failing, claim) <= (fewest, nearest)": "no two claims have one id",
}
"""Mutants that no test can find out, by function and change: why each is the same function.

The kernel does not read them, so these are arguments and no proofs. An entry that is killed fails.
"""


def held(module: str) -> tuple[str, ...]:
    """Return the tests that the mutants of the module are held to."""
    path = module.removeprefix(CORE).split(".")
    named = "/".join(("tests/unit/core", *path[:-1], f"test_{path[-1]}.py"))
    return ELSEWHERE.get(module, (named,))


def killed(mutant: Mutant) -> str:
    """Return that tests find the mutant out, or nothing.

    Raises `RuntimeError` when the tests could not be run.
    """
    tests = held(mutant.module)
    ended = ending({mutant.module: mutant.text}, tests)
    if ended not in {PASSED, *FAILED}:
        message = f"pytest exits with {ended}"
        raise RuntimeError(message)
    return "" if ended == PASSED else f"failed by {', '.join(tests)}"


@cache
def check(module: str) -> None:
    """Raise `RuntimeError` where the tests fail on the module as it is: they would find nothing."""
    tests = held(module)
    if ending({module: Source().text(module)}, tests) != PASSED:
        message = f"without a change they fail, too: {', '.join(tests)}"
        raise RuntimeError(message)
