"""The bare floors: what a decision costs in this language when nothing but the decision is left.

Prebuilt dictionaries, no validation, no reason, no certificate, no change ever. And the walk that
is written without an index. Each maker takes plain tables and returns a function of plain values.
"""

from collections.abc import Callable, Iterable
from itertools import product

from bench.workload import Condition, Grant, Tables

Plain = Callable[[str, str, str], bool]
"""Principal, action, resource."""

Conditioned = Callable[[str, str, str, int, str, int], bool]
"""Principal, action, resource, hour, region, usage."""


def bit_masks(tables: Tables) -> Plain:
    """Two dictionary reads and one AND: the roles assigned, the roles that grant, as bits."""
    bits = {role: 1 << number for number, role in enumerate(tables.parents)}
    granting = {
        target: sum(bits[role] for role in roles) for target, roles in _granting(tables).items()
    }
    assigned = {
        principal: sum(bits[role] for role in roles) for principal, roles in tables.assigned.items()
    }

    def decide(principal: str, action: str, resource: str) -> bool:
        return assigned[principal] & granting[action, resource] != 0

    return decide


def role_sets(tables: Tables) -> Plain:
    """A dictionary of the granting roles, closed upward, and one test of disjointness."""
    granting = {target: frozenset(roles) for target, roles in _granting(tables).items()}
    assigned = tables.assigned

    def decide(principal: str, action: str, resource: str) -> bool:
        return not granting[action, resource].isdisjoint(assigned[principal])

    return decide


def walk(tables: Tables) -> Plain:
    """No index of roles: follow the parents on every request."""
    held = _held(tables)
    parents, assigned = tables.parents, tables.assigned

    def decide(principal: str, action: str, resource: str) -> bool:
        target = action, resource
        work = list(assigned[principal])
        seen = set(work)
        while work:
            role = work.pop()
            if target in held[role]:
                return True
            for parent in parents[role]:
                if parent not in seen:
                    seen.add(parent)
                    work.append(parent)
        return False

    return decide


def conditioned_bit_masks(tables: Tables) -> Conditioned:
    """Bit masks, and for each claim its time window, set of regions and quota, checked only."""
    bits = {role: 1 << number for number, role in enumerate(tables.parents)}
    children = children_of(tables)
    granting: dict[tuple[str, str], tuple[tuple[int, int, int, frozenset[str], int], ...]]
    granting = dict.fromkeys(_targets(tables), ())
    for grant in tables.grants:
        mask = sum(bits[role] for role in closure((grant.role,), children))
        target = grant.action, grant.resource
        granting[target] = (*granting[target], (mask, *_condition(grant)))
    assigned = {
        principal: sum(bits[role] for role in roles) for principal, roles in tables.assigned.items()
    }

    def decide(  # noqa: PLR0917 - a floor has no object to put them in
        principal: str, action: str, resource: str, hour: int, region: str, usage: int
    ) -> bool:
        mine = assigned[principal]
        for mask, start, end, regions, limit in granting[action, resource]:
            if mine & mask and start <= hour < end and region in regions and usage < limit:
                return True
        return False

    return decide


def conditioned_walk(tables: Tables) -> Conditioned:
    """The walk without an index, with the conditions."""
    held = _held(tables)
    parents, assigned = tables.parents, tables.assigned

    def decide(  # noqa: PLR0917 - a floor has no object to put them in
        principal: str, action: str, resource: str, hour: int, region: str, usage: int
    ) -> bool:
        target = action, resource
        work = list(assigned[principal])
        seen = set(work)
        while work:
            role = work.pop()
            for start, end, regions, limit in held[role].get(target, ()):
                if start <= hour < end and region in regions and usage < limit:
                    return True
            for parent in parents[role]:
                if parent not in seen:
                    seen.add(parent)
                    work.append(parent)
        return False

    return decide


def _granting(tables: Tables) -> dict[tuple[str, str], set[str]]:
    """For each action and resource the roles that hold or inherit a claim on it."""
    children = children_of(tables)
    granting: dict[tuple[str, str], set[str]] = {target: set() for target in _targets(tables)}
    for grant in tables.grants:
        granting[grant.action, grant.resource].update(closure((grant.role,), children))
    return granting


def _targets(tables: Tables) -> list[tuple[str, str]]:
    """Every action on every resource, so that a lookup never misses."""
    return list(product(tables.actions, tables.resources))


def _held(tables: Tables) -> dict[str, dict[tuple[str, str], list[Condition]]]:
    held: dict[str, dict[tuple[str, str], list[Condition]]] = {role: {} for role in tables.parents}
    for grant in tables.grants:
        target = grant.action, grant.resource
        held[grant.role].setdefault(target, []).append(_condition(grant))
    return held


def _condition(grant: Grant) -> Condition:
    return grant.condition or Condition(0, 24, frozenset(), 0)


def children_of(tables: Tables) -> dict[str, list[str]]:
    """Return the roles that inherit from each role at once."""
    children: dict[str, list[str]] = {role: [] for role in tables.parents}
    for role, parents in tables.parents.items():
        for parent in parents:
            children[parent].append(role)
    return children


def closure(start: Iterable[str], edges: dict[str, list[str]]) -> set[str]:
    """Return the roles that are reached from some of them, those themselves too."""
    seen = set(start)
    work = list(seen)
    while work:
        for following in edges[work.pop()]:
            if following not in seen:
                seen.add(following)
                work.append(following)
    return seen
