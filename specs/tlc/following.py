"""A counterexample of `Freshness` told in words: what is committed, followed and answered."""

from collections.abc import Mapping
from typing import Final, cast

from specs.tlc.output import Step
from specs.tlc.values import Value

State = Mapping[str, Value]
Record = Mapping[str, Value]

FOLLOWING: Final = {"revision", "past", "link", "known", "age", "look", "question"}
"""The variables by which a state is known to be one of this model."""

NOTHING: Final = "Nothing"
REFUSALS: Final = {
    "stale": "it has not looked for too long",
    "unreached": "it does not know that revision",
}


def describe(state: State) -> str:
    """Return what is committed, and which of it each replica knows."""
    known = cast(Record, state["known"])
    knows = [f"{name} knows {revision}, {_looked(state, name)}" for name, revision in known.items()]
    return "; ".join([f"revision {state['revision']} is committed", *knows])


def step(before: Step, after: Step) -> str:
    """Return what happened between two states."""
    old, new = before.state, after.state
    told = [
        *(_asks(who, old, new) for who in cast(Record, old["question"])),
        *(_looks(who, old, new) for who in cast(Record, old["look"])),
        *(_link(name, old, new) for name in cast(Record, old["link"])),
    ]
    if old["revision"] != new["revision"]:
        told = [f"a change is committed, revision {new['revision']}{_notified(new)}"]
    if after.action == "Tick":
        told = ["time passes"]
    said = "; ".join(one for one in told if one)
    return f"{said or 'nothing changes'} ({describe(new)})"


def _looked(state: State, replica: str) -> str:
    ticks = cast(int, _of(state, "age", replica))
    if ticks == 0:
        return "looked at now"
    longest = len(cast(tuple[Value, ...], state["past"]))
    return f"looked at {ticks} tick{'s' * (ticks > 1)} ago{' or more' * (ticks == longest)}"


def _notified(state: State) -> str:
    told = [name for name, is_told in cast(Record, state["notified"]).items() if is_told]
    return f", of which {', '.join(told)} was told" if told else ", of which nobody is told"


def _asks(who: str, old: State, new: State) -> str:
    asked, now = _of(old, "question", who), _of(new, "question", who)
    if asked == NOTHING and now != NOTHING:
        question = cast(Record, now)
        return f"{who} asks {question['replica']} for revision {question['at_least']} or newer"
    if asked == NOTHING or now != NOTHING:
        return ""
    question, outcome = cast(Record, asked), str(_of(new, "outcome", who))
    if outcome in REFUSALS:
        return f"{question['replica']} refuses {who}: {REFUSALS[outcome]}"
    return f"{question['replica']} answers {who} at revision {_of(new, 'seen', who)}"


def _looks(reader: str, old: State, new: State) -> str:
    begun, now = _of(old, "look", reader), _of(new, "look", reader)
    whose = f"the look for {reader}" if reader in cast(Record, old["question"]) else reader
    if begun == NOTHING and now != NOTHING:
        return f"{whose} reads revision {cast(Record, now)['revision']}"
    ended = old["known"] != new["known"] or old["age"] != new["age"] or _unasked(old, new)
    if begun != NOTHING and now == NOTHING and ended:
        return f"{whose} follows to revision {cast(Record, begun)['revision']}, as it has read"
    return ""


def _unasked(old: State, new: State) -> bool:
    """Whether no question ended and no link was lost, so that a look that is gone was applied."""
    return old["link"] == new["link"] and old["outcome"] == new["outcome"]


def _link(replica: str, old: State, new: State) -> str:
    was, is_now = _of(old, "link", replica), _of(new, "link", replica)
    if was == is_now:
        return ""
    return f"{replica} {'loses' if is_now == 'cut' else 'reaches again'} the database"


def _of(state: State, variable: str, name: str) -> Value:
    return cast(Record, state[variable])[name]
