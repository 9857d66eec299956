"""Every public function of the core, and what holds it to its meaning.

A function is `proved` when it has a definition of its own, `read` when its own source is part of
the proof of others, and `tested` otherwise, with the reason. What is not proved is said so here.
"""

from dataclasses import dataclass
from typing import Final, Literal

from specs.theorems import readers, statements

Gate = Literal["proved", "read", "tested"]


@dataclass(frozen=True)
class Row:
    """A function, by which gate it is held, by what in detail, and why no more."""

    function: str
    gate: Gate
    by: tuple[str, ...]
    reason: str = ""


def rows() -> tuple[Row, ...]:
    """Return a row for every function that is proved, read or tested, under its dotted name."""
    proved = {name: Row(name, "proved", (name,)) for name in statements() if _is_function(name)}
    read = {name: Row(name, "read", theorems) for name, theorems in readers().items()}
    tested = {
        f"{CORE}{name}": Row(f"{CORE}{name}", "tested", tests, reason)
        for name, (tests, reason) in TESTED.items()
    }
    return tuple({**tested, **read, **proved}.values())


def _is_function(name: str) -> bool:
    return name.startswith(CORE)


CORE: Final = "grantproof.core."
NAMES: Final = "takes a guardrail apart; what it names is followed by proofs as a field"
SESSIONS: Final = ("tests/unit/core/test_sessions.py", "tests/properties/test_sessions.py")
CHOSEN: Final = "asks the predicates that are proved, of a session that no state holds"
FOR_PEOPLE: Final = "words for people: nothing is decided by it"
PRODUCES: Final = "finds evidence; what is found passes a checker that is proved"
SECOND: Final = "a second way to the same answer, held to the proved one"
COUNTERS: Final = "looks counters up; the predicates on what is found are proved"
AGREES: Final = "a second opinion, held to `invariants.valid` on changes that are right and corrupt"
CONTAINS: Final = "tested against every request of a small organization, pattern by pattern"
COUNTS: Final = "counts and bounds, which the translation does not follow"

TESTED: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "agreement.disagreements": (
        ("tests/unit/core/test_agreement.py", "tests/properties/test_footprint.py"),
        AGREES,
    ),
    "agreement.has": (
        ("tests/unit/core/test_agreement.py", "tests/properties/test_footprint.py"),
        AGREES,
    ),
    "agreement.unfaithful": (
        ("tests/unit/core/test_agreement.py", "tests/properties/test_footprint.py"),
        AGREES,
    ),
    "attributes.attributes": (("tests/unit/core/test_attributes.py",), "parses at the edge"),
    "attributes.booleans": (("tests/unit/core/test_attributes.py",), "parses at the edge"),
    "attributes.check_text": (("tests/unit/core/test_attributes.py",), "parses at the edge"),
    "attributes.check_value": (("tests/unit/core/test_attributes.py",), "parses at the edge"),
    "authority.unauthorized": (
        ("tests/unit/core/test_authority.py", "tests/properties/test_escalate.py"),
        "composes `evaluate`, which is proved, over a table of needs of a length not known",
    ),
    "candidates.compile_claim": (
        ("tests/unit/core/test_candidates.py", "tests/stateful/test_index.py"),
        SECOND,
    ),
    "candidates.timetable": (("tests/unit/core/test_candidates.py",), SECOND),
    "certificate.issue": (("tests/unit/core/test_certificate.py",), PRODUCES),
    "commands.assigning.assigned": (
        ("tests/unit/core/commands/test_assigning.py", "tests/properties/test_assigning.py"),
        "a second way to the same state, held to each command in turn, which is proved",
    ),
    "commands.delta.compose": (
        ("tests/unit/core/commands/test_delta.py", "tests/properties/test_induct.py"),
        "folds deltas of a length that is not known",
    ),
    "commands.language.as_one": (
        ("tests/unit/core/commands/test_language.py",),
        "wraps commands: what they do is the commands' own",
    ),
    "commands.origin.check_origin": (
        ("tests/unit/core/commands/test_apply.py",),
        "parses at the edge",
    ),
    "containment.action_contains": (("tests/unit/core/test_containment.py",), CONTAINS),
    "containment.administrative": (("tests/unit/core/test_containment.py",), CONTAINS),
    "containment.claim_contains": (
        ("tests/unit/core/test_containment.py", "tests/properties/test_escalate.py"),
        CONTAINS,
    ),
    "containment.personal": (("tests/unit/core/test_containment.py",), CONTAINS),
    "containment.resource_contains": (("tests/unit/core/test_containment.py",), CONTAINS),
    "footprint.broken": (
        ("tests/unit/core/test_footprint.py", "tests/properties/test_footprint.py"),
        AGREES,
    ),
    "holding.administrator_lost": (
        ("tests/unit/core/test_holding.py", "tests/properties/test_footprint.py"),
        AGREES,
    ),
    "holding.duty_broken": (
        ("tests/unit/core/test_holding.py", "tests/properties/test_footprint.py"),
        AGREES,
    ),
    "holding.reached": (
        ("tests/unit/core/test_holding.py", "tests/properties/test_footprint.py"),
        AGREES,
    ),
    **dict.fromkeys(
        (
            "gathering.Among.add_backward",
            "gathering.Among.add_forward",
            "gathering.Edges.add_edge",
            "gathering.Edges.add_node",
            "gathering.Edges.made",
            "gathering.Gathering.adding",
            "gathering.Gathering.organization",
            "gathering.Pairs.add",
            "gathering.Pairs.among",
            "gathering.Pairs.made",
        ),
        (
            ("tests/unit/core/test_gathering.py", "tests/differential/test_gathering_agrees.py"),
            "a second way to the same state, held to `with_fact`, which is proved",
        ),
    ),
    "gathering.near": (
        ("tests/unit/core/test_gathering.py",),
        "an order, of which nothing depends",
    ),
    "geodesy.degrees": (("tests/unit/core/test_geodesy.py",), FOR_PEOPLE),
    "geodesy.distance": (
        ("tests/properties/test_geodesy.py", "tests/unit/core/test_geodesy.py"),
        "trigonometry: it stands as a symbol, and what the proofs suppose of it is tested",
    ),
    "guardrails.accesses": (("tests/unit/core/test_guardrails.py",), NAMES),
    "guardrails.selectors": (("tests/unit/core/test_guardrails.py",), NAMES),
    "sessions.ended_by": (SESSIONS, CHOSEN),
    "sessions.in_force": (SESSIONS, CHOSEN),
    "sessions.refused_to_add": (SESSIONS, CHOSEN),
    "sessions.refused_to_choose": (SESSIONS, CHOSEN),
    "sessions.refused_to_drop": (SESSIONS, CHOSEN),
    "sessions.session_clash": (SESSIONS, CHOSEN),
    "sessions.session_roles": (SESSIONS, CHOSEN),
    "sessions.within": (SESSIONS, CHOSEN),
    "sessions.Session.having": (SESSIONS, CHOSEN),
    "sessions.Session.lasts": (SESSIONS, CHOSEN),
    "messages.session_message": (("tests/unit/core/test_sessions.py",), FOR_PEOPLE),
    "index.Index.ask": (("tests/unit/core/test_index.py", "tests/stateful/test_index.py"), SECOND),
    "index.Index.contest": (
        ("tests/unit/core/test_index.py", "tests/properties/test_consume.py"),
        SECOND,
    ),
    "index.Index.decide": (
        ("tests/unit/core/test_index.py", "tests/stateful/test_index.py"),
        SECOND,
    ),
    "index.Index.follow": (
        ("tests/unit/core/test_index.py", "tests/stateful/test_index.py"),
        SECOND,
    ),
    "index.Index.nearest": (
        ("tests/unit/core/test_index.py", "tests/stateful/test_index.py"),
        SECOND,
    ),
    "evolving.each_like": (
        ("tests/unit/core/test_evolving.py",),
        "held to the constructor itself, value by value",
    ),
    "identifiers.Identifier.each": (
        ("tests/unit/core/test_identifiers.py",),
        "held to the constructor itself, text by text",
    ),
    "mirrors.agreeing": (
        ("tests/unit/core/test_mirrors.py", "tests/differential/test_gathering_agrees.py"),
        "held to making the organization anew by `with_fact`, of states right and corrupt",
    ),
    "mirrors.mirrored": (
        ("tests/unit/core/test_mirrors.py", "tests/unit/core/test_invariants.py"),
        "held to making the organization anew by `with_fact`, of states right and corrupt",
    ),
    "invariants.legal": (
        ("tests/unit/core/test_invariants.py",),
        "asks the constructor, which is what says so",
    ),
    "invariants.valid": (
        ("tests/unit/core/test_invariants.py", "tests/properties/test_induct.py"),
        "the executable twin of what the proofs of commands suppose and keep",
    ),
    "matching.claims_on": (
        ("tests/unit/core/test_matching.py", "tests/stateful/test_index.py"),
        SECOND,
    ),
    "matching.lineage": (
        ("tests/unit/core/test_matching.py",),
        "part of `resolve`, which stands as a symbol: what a resource is, not who may",
    ),
    "matching.patterns_on": (("tests/unit/core/test_matching.py",), SECOND),
    "matching.resolve": (
        ("tests/unit/core/test_matching.py", "tests/properties/test_sound_complete.py"),
        "stands as a symbol: it takes resource ids apart, which the translation does not follow",
    ),
    "metering.certify": (("tests/unit/core/test_metering.py",), PRODUCES),
    "metering.charges": (("tests/unit/core/test_metering.py",), COUNTERS),
    "metering.check": (
        ("tests/unit/core/test_metering.py", "tests/properties/test_consume.py"),
        "compares counts, and leaves the rest to the checker that is proved",
    ),
    "metering.choose": (("tests/properties/test_consume.py",), COUNTERS),
    "metering.evaluate": (
        ("tests/properties/test_consume.py",),
        "held to the proved `policy.evaluate`, of an organization that has the counts written out",
    ),
    "metering.limit_on": (("tests/unit/core/test_metering.py",), "shown: nothing is decided by it"),
    "metering.observe": (("tests/properties/test_consume.py",), COUNTERS),
    "metering.span_of": (("tests/unit/core/test_metering.py",), COUNTERS),
    "metering.unused": (("tests/unit/core/test_metering.py",), COUNTERS),
    "metering.window": (
        ("tests/unit/core/test_metering.py", "tests/properties/test_consume.py"),
        "arithmetic of the calendar, held to another implementation of it",
    ),
    "messages.around": (("tests/unit/core/test_messages.py",), FOR_PEOPLE),
    "messages.failure_message": (("tests/unit/core/test_messages.py",), FOR_PEOPLE),
    "messages.held_message": (("tests/unit/core/test_messages.py",), FOR_PEOPLE),
    "messages.moment": (("tests/unit/core/test_messages.py",), FOR_PEOPLE),
    "messages.reason_message": (("tests/unit/core/test_messages.py",), FOR_PEOPLE),
    "messages.refusal_message": (("tests/unit/core/test_messages.py",), FOR_PEOPLE),
    "model.Claim.metered": (
        ("tests/unit/core/test_model.py",),
        "orders granting claims, and any of them grants",
    ),
    "organization.Organization.implicit_resources": (
        ("tests/unit/core/test_organization.py",),
        "lists what exists; nothing is decided by it",
    ),
    "organization.advance": (
        ("tests/unit/core/test_organization.py",),
        "replays an event; held to `apply` by the stores' contract",
    ),
    "organization.facts": (
        ("tests/unit/core/test_organization.py",),
        "lists the facts in the order in which they can be added",
    ),
    "organization.implicit_kind": (
        ("tests/unit/core/test_organization.py",),
        "trusted in P-REF to say what is implicit: it takes an id apart",
    ),
    "paths.cycle_through": (("tests/unit/core/test_paths.py",), PRODUCES),
    "paths.how_held": (("tests/unit/core/test_paths.py",), PRODUCES),
    "paths.longest_chain": (("tests/unit/core/test_paths.py",), COUNTS),
    "paths.shortest_path": (("tests/unit/core/test_paths.py",), PRODUCES),
    "policy.claim_order": (
        ("tests/unit/core/test_policy.py",),
        "chooses among granting claims, and any of them grants",
    ),
    "relation.Relation.with_all": (
        ("tests/unit/core/test_relation.py", "tests/properties/test_assigning.py"),
        "a second way to the same relation, held to `with_pair`, which is proved",
    ),
    "rights.claims_of": (("tests/unit/core/test_rights.py",), "lists"),
    "rights.required": (
        ("tests/unit/core/test_rights.py", "tests/properties/test_escalate.py"),
        "a table: what is to be required is a choice, held to P-ESCALATE by the oracle",
    ),
    "shortfall.Shortfalls.nearest": (
        ("tests/unit/core/test_shortfall.py", "tests/properties/test_index_parts.py"),
        SECOND,
    ),
    "staleness.stale": (
        ("tests/unit/core/test_staleness.py", "tests/stateful/test_index.py"),
        SECOND,
    ),
    "ways.decide": (("tests/unit/core/test_ways.py", "tests/stateful/test_index.py"), SECOND),
    "ways.grants_of": (("tests/unit/core/test_ways.py", "tests/stateful/test_index.py"), SECOND),
    "ways.near": (("tests/unit/core/test_ways.py", "tests/stateful/test_index.py"), SECOND),
    "ways.nobody_looks": (("tests/unit/core/test_ways.py",), SECOND),
    "ways.matching": (("tests/unit/core/test_ways.py", "tests/stateful/test_index.py"), SECOND),
    "ways.Verdict.metered": (("tests/unit/core/test_ways.py",), SECOND),
    "ways.Verdict.hangs_on": (("tests/unit/core/test_ways.py", "tests/api/test_laws.py"), SECOND),
}
"""The functions that are tested only: by what, and why they are not proved."""
