"""Answers to questions about what is possible, in print: of their documents."""

import json
import shlex
from collections.abc import Sequence
from typing import Any, Final

from grantproof.cli.output import Table, tell, tell_table, tell_tree
from grantproof.cli.shown import claim_text, moment
from grantproof.policyfile import documents
from grantproof.service.trees import Tree
from grantproof.service.witness_tree import allowed_tree

Told = dict[str, Any]

NAMES_SHOWN_MAX: Final = 10


def tell_able(told: Told) -> None:
    """Print who can, each class with how the first of it can."""
    for able in told["able"]["items"]:
        tell_tree(Tree(f"{_named(able)}: {_when(able, told)}", (allowed_tree(able),)))
    _tell_more(told["able"])
    _tell_undetermined(told)
    if told["able"]["count"] == 0:
        unknown = "unknown resource: register it, or name a declared kind with --kind"
        tell("nobody can" if told["resource_known"] else f"nobody can: {unknown}")
    else:
        tell(f"{told['principals']} can (revision {told['revision']})")


def tell_usable(told: Told) -> None:
    """Print each claim that a principal can use, with a request, and those that it cannot."""
    for usable in told["usable"]["items"]:
        claim = usable["certificate"]["claim"]
        tell_tree(Tree(f"{_claim(claim)}: {_when(usable, told)}", (allowed_tree(usable),)))
    _tell_more(told["usable"])
    for claim in told["useless"]["items"]:
        tell(f"{_claim(claim)}: never, as things are stored")
    _tell_more(told["useless"])
    _tell_undetermined(told)
    tell(f"{told['usable']['count']} claims can be used (revision {told['revision']})")


def tell_remedies(asked_roles: Sequence[str] | None, told: Told) -> None:
    """Print why not, and what would help: what to type, to choose, to meet; or why it would not."""
    if told["reason"] is None:
        tell(f"Allow (revision {told['revision']})")
        return
    tell(f"Deny: {told['reason']}")
    for remedy in told["remedies"]["items"]:
        steps = tuple(map(Tree, _steps(remedy, told["context"], asked_roles)))
        tell_tree(Tree(_claim(remedy["claim"]), steps))
    _tell_more(told["remedies"])
    _tell_undetermined(told)
    if told["remedies"]["count"] == 0:
        tell("no claim on it would help")
    tell(f"revision {told['revision']}")


def tell_granted(told: Told) -> None:
    """Print that nobody can, or who can and how."""
    if told["holds"]:
        tell(f"nobody can, ever (revision {told['revision']})")
        return
    shown = tuple(map(allowed_tree, told["counterexample"]["requests"]))
    tell_tree(Tree(told["message"], shown))


def tell_dead(told: Told) -> None:
    """Print what is without effect, a line each."""
    rows = [
        *(("unused role", role, "nobody holds it") for role in told["unused_roles"]["items"]),
        *(
            ("unreachable claim", _claim(one), "nobody who holds it can use it")
            for one in told["unreachable_claims"]["items"]
        ),
        *(
            ("unsatisfiable claim", _claim(one), "no context satisfies it")
            for one in told["unsatisfiable_claims"]["items"]
        ),
        *(
            ("redundant claim", _claim(one["claim"]), f"because of {_claim(one['because_of'])}")
            for one in told["redundant_claims"]["items"]
        ),
        *(
            (
                "redundant assignment",
                _held(one["assignment"]),
                f"because of {_held(one['because_of'])}",
            )
            for one in told["redundant_assignments"]["items"]
        ),
    ]
    lists = [part for part in told.values() if isinstance(part, dict)]
    if rows:
        tell_table(Table(("what", "which", "why"), rows))
    else:
        tell(f"nothing is dead (revision {told['revision']})")
    for part in lists:
        _tell_more(part)
    _tell_undetermined(told)


def tell_conflicts(told: Told) -> None:
    """Print the roles that separation of duty keeps everybody from."""
    rows = [
        *(
            (one["role"], one["sod_set"], "nobody can hold it")
            for one in told["unholdable"]["items"]
        ),
        *(
            (one["role"], one["sod_set"], "nobody can have it active")
            for one in told["unactivatable"]["items"]
        ),
    ]
    if rows:
        tell_table(Table(("role", "set", "why"), rows))
    else:
        tell(f"no set keeps everybody from a role (revision {told['revision']})")
    for name in ("unholdable", "unactivatable"):
        _tell_more(told[name])


def _named(members: Told) -> str:
    names = members["principals"][:NAMES_SHOWN_MAX]
    more = members["count"] - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _when(shown: Told, told: Told) -> str:
    """Return whether it takes a context, and in which time, if not from now on for ever."""
    if told.get("context") is not None:
        return "in this context"
    start = f" from {moment(shown['from'])}" if shown["from"] != told["asked_at"] else ""
    end = "" if shown["until"] is None else f" until {moment(shown['until'])}"
    return ("in a context such as this" if shown["conditional"] else "in any context") + start + end


def _claim(written: Told) -> str:
    claim = documents.Claim.model_validate(written).core()
    return f"claim {claim.id} of role {claim.role}: {claim_text(claim)}"


def _held(written: Told) -> str:
    noun = "group" if "group" in written else "principal"
    start, end = written["from"], written["until"]
    since = "" if start is None else f" from {moment(start)}"
    until = "" if end is None else f" until {moment(end)}"
    return f"role {written['role']} of {noun} {written[noun]}{since}{until}"


def _steps(remedy: Told, asked: Told, asked_roles: Sequence[str] | None) -> list[str]:
    """Return what to do, in order: commands, the session, the conditions with what would do."""
    chosen = remedy["active_roles"]
    session: list[str] = []
    if chosen is not None and set(chosen) != set(asked_roles or ()):
        options = " ".join(f"--active-role {shlex.quote(role)}" for role in chosen)
        session = [f"choose the session {options}"]
    changed = {name: value for name, value in remedy["context"].items() if asked.get(name) != value}
    would_do = [f"such as {json.dumps(changed)}"] if remedy["conditions"] and changed else []
    refusal = remedy["refusal"]
    return [
        *(f"run: {_command(one)}" for one in remedy["commands"]),
        *session,
        *(f"meet: {one['message']}" for one in remedy["conditions"]),
        *would_do,
        *([f"but that would be refused: {refusal['message']}"] if refusal is not None else []),
    ]


COMMANDS: Final = {
    "AssignRole": ("assign", "principal", "role"),
    "RevokeRole": ("revoke", "principal", "role"),
    "ResumePrincipal": ("principal resume", "principal"),
}
"""How the commands of a remedy are typed."""


def _command(written: Told) -> str:
    words, *names = COMMANDS[written["type"]]
    return " ".join(["grantproof", words, *(shlex.quote(written[name]) for name in names)])


def _tell_undetermined(told: Told) -> None:
    for one in told["undetermined"]["items"]:
        of = _claim(one["claim"]) if "claim" in one else _named(one)
        tell(f"{of}: not known: {one['why']}")
    _tell_more(told["undetermined"])


def _tell_more(part: Told) -> None:
    more = part["count"] - len(part["items"])
    if more > 0:
        tell(f"and {more} more")
