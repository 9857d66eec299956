"""Everything that is to be proved, by name: what functions mean, and the properties."""

from functools import cache, partial

from specs.definitions import (
    certificate,
    commands,
    constraints,
    cycles,
    deletions,
    duty,
    facts,
    forms,
    hierarchy,
    holders,
    matching,
    policy,
)
from specs.definitions.registry import REGISTRY
from specs.kernel.source import Source
from specs.obligations import theorem
from specs.properties import (
    p_administered,
    p_attr,
    p_cas,
    p_cert,
    p_checked,
    p_closure,
    p_dag,
    p_deny_default,
    p_geo,
    p_induct,
    p_inside,
    p_limits,
    p_mono_claim,
    p_mono_constraint,
    p_quota_mono,
    p_radius,
    p_rate_mono,
    p_ref,
    p_reject,
    p_sod_exact,
    p_sod_kept,
    p_sod_refused,
    p_sod_safe,
    p_sod_sym,
    p_window,
)
from specs.properties.registry import LEMMAS, Statement

MEANINGS = (
    certificate,
    commands,
    constraints,
    cycles,
    deletions,
    duty,
    facts,
    forms,
    hierarchy,
    holders,
    matching,
    policy,
)
PROPERTIES = (
    p_administered,
    p_attr,
    p_cas,
    p_cert,
    p_checked,
    p_closure,
    p_dag,
    p_deny_default,
    p_geo,
    p_induct,
    p_inside,
    p_limits,
    p_mono_claim,
    p_mono_constraint,
    p_quota_mono,
    p_radius,
    p_rate_mono,
    p_ref,
    p_reject,
    p_sod_exact,
    p_sod_kept,
    p_sod_refused,
    p_sod_safe,
    p_sod_sym,
    p_window,
)
"""Every module that states something; importing one is what makes its statements known."""


@cache
def statements() -> dict[str, Statement]:
    """Return every statement by its name."""
    meanings = {
        name: Statement(entry.property_id, partial(theorem, entry))
        for name, entry in REGISTRY.items()
    }
    return meanings | LEMMAS


@cache
def readers() -> dict[str, tuple[str, ...]]:
    """Return, for every function whose source is read, the theorems that read it."""
    found: dict[str, list[str]] = {}
    for name, statement in statements().items():
        source = Source()
        statement.about(source)
        for function in sorted(source.used):
            found.setdefault(function, []).append(name)
    return {function: tuple(names) for function, names in found.items()}
