"""How near principals come to what separation of duty forbids."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from grantproof.cli.operator import Operator
from grantproof.cli.output import listed, tell, tell_json

if TYPE_CHECKING:
    from grantproof.service.duty_report import Named, Standing


def report(operator: Operator) -> None:
    """Tell of each set who comes near it, who must choose, and which roles nobody can use."""
    from grantproof.service.duty_report import standings
    from grantproof.service.review_documents import standing_document

    state, instant = operator.state, operator.instant()
    sets = [state.sod_sets[name] for name in sorted(state.sod_sets)]
    found = standings(state, sets, instant)
    if operator.json:
        tell_json([standing_document(one) for one in found])
        return
    if len(found) == 0:
        tell("there is no separation-of-duty set")
    for one in found:
        for line in _lines(one):
            tell(line)


def _lines(standing: "Standing") -> Iterator[str]:
    sod_set = standing.sod_set
    what = f"{sod_set.id} ({sod_set.mode}): forbids {sod_set.n} of {listed(sod_set.roles)}"
    yield what
    for roles, principals in sorted(standing.holders.items()):
        verb = "principal holds" if principals == 1 else "principals hold"
        yield f"  {principals:,} {verb} {roles} of them"
    if standing.near.count > 0:
        yield f"  one short of what is forbidden: {_named(standing.near)}"
    if standing.over.count > 0:
        verb = "must choose for a session" if sod_set.mode == "dynamic" else "break it"
        yield f"  {verb}: {_named(standing.over)}"
    if standing.unusable:
        yield f"  roles that nobody can use: {listed(standing.unusable)}"


def _named(found: "Named") -> str:
    names = [f"{one.principal} ({', '.join(one.roles)})" for one in found.first]
    more = found.count - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
