"""What is about to change, in words: what goes, what is edited, what comes.

Lines are coloured on a terminal and plain everywhere else; programs read the facts themselves.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from grantproof.cli import shown
from grantproof.cli.output import listed, tell_coloured
from grantproof.core import guardrails, model
from grantproof.core.model import Fact
from grantproof.policyfile import documents
from grantproof.policyfile.differing import Difference

REMOVED: Final = "red"
EDITED: Final = "yellow"
ADDED: Final = "green"


def tell_plan(found: Difference) -> None:
    """Print the difference, a line for each fact."""
    for fact in found.removed:
        tell_coloured(f"- {_told(fact)}", REMOVED)
    for edit in found.edited:
        name, _ = WORDS[type(edit.after)](edit.after)
        before, after = (WORDS[type(one)](one)[1] for one in (edit.before, edit.after))
        tell_coloured(f"~ {name}: {before} -> {after}", EDITED)
    for fact in found.added:
        tell_coloured(f"+ {_told(fact)}", ADDED)


def summary(found: Difference) -> str:
    """Return how much changes: `2 removed, 1 edited, 0 added`."""
    return f"{len(found.removed)} removed, {len(found.edited)} edited, {len(found.added)} added"


def _told(fact: Fact) -> str:
    name, detail = WORDS[type(fact)](fact)
    return f"{name}: {detail}" if detail else name


def _resource(resource: model.Resource) -> tuple[str, str]:
    inside = "" if resource.parent is None else f" in {resource.parent}"
    return f"resource {resource.id}", f"{resource.kind}{inside}{_attributes(resource.attributes)}"


def _principal(principal: model.Principal) -> tuple[str, str]:
    status = "active" if principal.active else "suspended"
    return f"principal {principal.id}", f"{status}{_attributes(principal.attributes)}"


def _attributes(held: Any) -> str:
    return f", {shown.attribute_pairs(held)}" if len(held) > 0 else ""


def _sod_set(sod_set: model.SodSet) -> tuple[str, str]:
    name = f"separation-of-duty set {sod_set.id}"
    return name, f"{sod_set.mode}, forbids {sod_set.n} of {listed(sod_set.roles)}"


def _claim(claim: model.Claim) -> tuple[str, str]:
    return f"claim {claim.id}", f"role {claim.role} may {shown.claim_text(claim)}"


def _held(holder: str, role: str, validity: model.Validity) -> tuple[str, str]:
    return f"{holder} holds role {role}", " ".join(_bounds(validity)) or "always"


def _bounds(validity: model.Validity) -> Iterator[str]:
    if validity.start is not None:
        yield f"from {shown.moment(validity.start)}"
    if validity.end is not None:
        yield f"until {shown.moment(validity.end)}"


def _guardrail(guardrail: model.Guardrail) -> tuple[str, str]:
    accesses = " and ".join(map(shown.access_text, guardrails.accesses(guardrail.rule)))
    who = listed(map(shown.selector_text, guardrails.selectors(guardrail.rule)))
    form = documents.Guardrail.of(guardrail).type
    return f"guardrail {guardrail.id}", f"{form} {accesses}{f' ({who})' if who else ''}"


WORDS: Final[Mapping[type[Fact], Callable[[Any], tuple[str, str]]]] = {
    model.KindDeclaration: lambda declared: (f"kind {declared.kind}", ""),
    model.Resource: _resource,
    model.Group: lambda group: (f"group {group.id}", ""),
    model.Role: lambda role: (f"role {role.id}", ""),
    model.Principal: _principal,
    model.SodSet: _sod_set,
    model.Claim: _claim,
    model.Inheritance: lambda edge: (f"role {edge.role} inherits from role {edge.parent}", ""),
    model.Nesting: lambda edge: (f"group {edge.group} in group {edge.container}", ""),
    model.Membership: lambda member: (f"principal {member.principal} in group {member.group}", ""),
    model.Assignment: lambda held: _held(f"principal {held.principal}", held.role, held.validity),
    model.GroupAssignment: lambda held: _held(f"group {held.group}", held.role, held.validity),
    model.Guardrail: _guardrail,
}
"""What a fact is called, and what there is to say of it: that may change, the name never does."""
