"""A trace told in the words of the domain, up to the record that nothing explains, and why."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final, cast

from specs.tlc.trace import GROUNDS, command_words, describe
from specs.tlc.values import Value
from specs.traces.cast import PRINCIPALS, ROLES, Policy, Words
from specs.traces.journal import Record
from specs.traces.trace import Trace
from specs.traces.validation import Unexplained


def tell(trace: Trace, unexplained: Unexplained) -> tuple[str, ...]:
    """Return one line a record, the last one why it has no explanation."""
    shown = trace.records[: unexplained.position + 1]
    lines = [
        f"at first {words(trace.start)}",
        *(TOLD[record.what](record) for record in shown),
        f"no step of the model explains this: {_why(trace, unexplained)}",
    ]
    return tuple(f"{n}. {line}" for n, line in enumerate(lines, 1))


def words(policy: Policy) -> str:
    """Return a policy in words."""
    return describe(
        {
            "roles": policy.roles,
            "assignments": _images(PRINCIPALS, policy.assignments),
            "parents": _images(ROLES, policy.parents),
            "sod_sets": tuple({"roles": roles, "n": n} for roles, n in policy.sod_sets),
        }
    )


def _images(names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, Value]:
    found: defaultdict[str, tuple[Value, ...]] = defaultdict(tuple)
    for one, other in pairs:
        found[one] += (other,)
    return {str(name): found[name] for name in names}


def command(told: Words) -> str:
    """Return a command in words."""
    fields: dict[str, Value] = {
        name: value if isinstance(value, str) else {"roles": value[0], "n": value[1]}
        for name, value in told.items()
    }
    return command_words(fields)


TOLD: Final[dict[str, Callable[[Record], str]]] = {
    "reads": lambda one: (
        f"{one.who} reads revision {one.revision} and proposes: {command(cast(Words, one.told))}"
    ),
    "moves": lambda one: f"{one.who} moves the row, which then holds revision {one.revision}",
    "writes": lambda one: (
        f"{one.who} is about to commit revision {one.revision}: "
        f"{'nothing' if one.policy is None else words(one.policy)}"
    ),
    "commits": lambda one: f"{one.who} has committed",
    "loses": lambda one: f"{one.who} has lost the race",
    "refuses": lambda one: f"{one.who} is refused: {GROUNDS.get(str(one.told), one.told)}",
    "contended": lambda one: f"{one.who} gives up, contended",
    "fails": lambda one: f"{one.who} ends in an error: {one.told}",
    "ends": lambda one: (
        f"in the end the row holds revision {one.revision}, "
        f"and {'nothing' if one.policy is None else words(one.policy)}"
    ),
}

REASONS: Final = {
    "NothingRead": "{who} has read nothing since its last attempt",
    "Stale": "{who} decided on revision {read}, but it is {revision}",
    "NotThere": "revision {told} was not committed when {who} read it",
    "OtherPolicy": "at that revision there is something else",
    "Refusable": "what {who} proposes is to be refused",
    "OtherRevision": "the next revision is one more than {revision}",
    "NotAlone": "another transaction has moved the row and not ended",
    "NotMoved": "{who} has not moved the revision in this transaction",
    "OtherGround": "on the state that {who} read, that is not the ground for refusal",
    "NotCommitted": "{who} has not written that",
    "LostToNobody": "nobody has changed the revision that {who} decided on",
    "TriesLeft": "{who} has attempts left",
    "Undecided": "somebody has no outcome",
    "Failed": "no proposal may end so",
}


def _why(trace: Trace, unexplained: Unexplained) -> str:
    record = trace.records[unexplained.position]
    before = trace.records[: unexplained.position + 1]
    read = [one.revision for one in before if one.who == record.who and one.what == "reads"]
    template = REASONS.get(unexplained.why, unexplained.why)
    if record.what == "ends" and unexplained.why == "OtherRevision":
        template = "the last revision that was committed is {revision}"
    return template.format(
        who=record.who,
        read=read[-1] if read else "none",
        revision=unexplained.state["revision"],
        told=record.revision,
    )
