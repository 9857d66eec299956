"""Every collector tells what it is given, in the words and units that Prometheus expects."""

import sys
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from grantproof.adapters.telemetry import SIZES, Followed, Telemetry
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import ConstraintFailed
from grantproof.core.withheld import Withheld
from grantproof.policyfile.answers import CODES
from grantproof.service import attempts, contracts, decision_log, shelf
from grantproof.service.cases import CONTRACTS, CaseCounts, Contract
from grantproof.service.outcomes import none
from grantproof.service.requests import BOUNDS, Durations, Requests
from grantproof.service.solving import ENDINGS, Ending, EndingCounts, Endings
from tests.organizations import (
    ACME,
    ANN,
    BOB,
    CHIEF,
    CLERK,
    HEAD,
    STAFF,
    claim,
    groups,
    library,
    made_of,
    pair,
    people,
    roles,
)

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@dataclass(frozen=True)
class Family:
    """What is said of a metric: its type and its labels."""

    type: str
    labels: frozenset[str]


def samples(text: str) -> Samples:
    """The value of each sample, by name and labels in their order."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def families(text: str) -> dict[str, Family]:
    """Each metric by the name that a query uses."""
    found = {}
    for family in text_string_to_metric_families(text):
        # The reader takes the ending of a counter off, which is part of its name in a query.
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[name] = Family(family.type, frozenset(labels))
    return found


def of(found: Samples, name: str, **labels: str) -> float:
    """One sample."""
    return found[name, tuple(sorted(labels.items()))]


def by(found: Samples, name: str) -> dict[str, float]:
    """The samples of a metric with one label, by its value."""
    return {labels[0][1]: value for (one, labels), value in found.items() if one == name}


def told(telemetry: Telemetry) -> Samples:
    """What the telemetry tells now."""
    return samples(telemetry.written().decode())


CHECKS: dict[Contract, int] = dict(zip(CONTRACTS, (1, 2, 3, 9), strict=True))
VIOLATIONS: dict[Contract, int] = dict(zip(CONTRACTS, (4, 5, 6, 7), strict=True))


def watching_everything() -> Telemetry:
    """Telemetry of which every part is used."""
    telemetry = Telemetry()
    requests = Requests(["/evaluate"])
    telemetry.watch_decisions(none)
    telemetry.watch_requests(requests.tally)
    telemetry.watch_following(Followed(lambda: [Organization(ACME)], lambda: 0.5, lambda: 1))
    telemetry.watch_changes(attempts.Attempts(["accepted"]).tally)
    telemetry.watch_charges(attempts.Attempts(["charged"]).tally)
    telemetry.watch_credentials(lambda: 0)
    telemetry.watch_solver(Endings().tally)
    telemetry.watch_decision_log(lambda: decision_log.LogCounts(1, 2, 3, 4))
    telemetry.watch_snapshot_files(lambda: shelf.ShelfCounts(1, 2, 3, 4))
    telemetry.watch_contracts(
        lambda: contracts.ContractCounts(CHECKS, VIOLATIONS, 8, CaseCounts(9, 10))
    )
    telemetry.tell_verification(verified=True, source="c0ffee")
    return telemetry


def test_everything_is_watched_here() -> None:
    """Whoever adds a part uses it here too, where the page of metrics is held to it."""
    parts = {name for name in vars(Telemetry) if name.startswith(("watch_", "tell_"))}
    assert parts <= set(watching_everything.__code__.co_names)
    assert len(parts) == 11


def test_decisions_are_told_by_outcome_and_reason() -> None:
    """Every reason that there is, with 0 from the start; they are read when asked for."""
    counts = none()
    telemetry = Telemetry()
    telemetry.watch_decisions(lambda: counts)
    counts |= {Claim: 5, ConstraintFailed: 3, Withheld: 1}
    found = told(telemetry)
    name = "grantproof_decisions_total"
    assert of(found, name, outcome="allow", reason="") == 5
    assert of(found, name, outcome="deny", reason="constraint_failed") == 3
    assert of(found, name, outcome="deny", reason="withheld") == 1
    labels = {labels for one, labels in found if one == name}
    denied = {(("outcome", "deny"), ("reason", code)) for code in CODES.values()}
    assert labels == {(("outcome", "allow"), ("reason", ""))} | denied
    counts[Claim] += 1
    assert of(told(telemetry), name, outcome="allow", reason="") == 6


def test_requests_are_told_by_route_and_status() -> None:
    """Durations in seconds, in buckets that each hold all that is shorter, by class of status."""
    requests = Requests(["/evaluate"])
    telemetry = Telemetry()
    telemetry.watch_requests(requests.tally)
    assert of(told(telemetry), "grantproof_requests_total", route="/evaluate", status="200") == 0
    requests.count("/evaluate", 200, 0.000_05)
    requests.count("/evaluate", 200, 0.000_06)
    requests.count("/evaluate", 201, 11.0)
    requests.count("/evaluate", 429, 0.2)
    found = told(telemetry)
    answered = {
        status: of(found, "grantproof_requests_total", route="/evaluate", status=status)
        for status in ("200", "201", "429")
    }
    assert answered == {"200": 2, "201": 1, "429": 1}
    name = "grantproof_request_duration_seconds"
    good = {"route": "/evaluate", "status_class": "2xx"}
    buckets = [of(found, f"{name}_bucket", le=str(bound), **good) for bound in BOUNDS]
    assert buckets == [1, *[2] * (len(BOUNDS) - 1)]
    assert of(found, f"{name}_bucket", le="+Inf", **good) == 3
    assert of(found, f"{name}_count", **good) == 3
    assert of(found, f"{name}_sum", **good) == pytest.approx(11.000_11)
    assert of(found, f"{name}_count", route="/evaluate", status_class="4xx") == 1


def test_what_is_followed_is_told_in_sum() -> None:
    """So that replicas which agree tell the same numbers."""
    facts = (*people(ANN, BOB), *groups(STAFF), *roles(CLERK, HEAD, CHIEF), *library(), claim())
    state = made_of(*facts, pair(), revision=7)
    telemetry = Telemetry()
    telemetry.watch_following(
        Followed(lambda: [state, Organization(ACME, 41)], lambda: 1.25, lambda: 1)
    )
    found = told(telemetry)
    assert of(found, "grantproof_organizations_not_current") == 1
    assert of(found, "grantproof_organizations_followed") == 2
    assert of(found, "grantproof_snapshot_revisions") == 48
    assert of(found, "grantproof_snapshot_age_seconds") == 1.25
    kinds = by(found, "grantproof_snapshot_entities")
    assert kinds == {
        "principal": 2,
        "group": 1,
        "role": 3,
        "resource": len(state.resources),
        "claim": 1,
        "sod_set": 1,
        "guardrail": 0,
    }
    assert set(kinds) == set(SIZES)


def test_nothing_followed_has_an_age_too() -> None:
    """A process that nobody asked yet is watched like any other."""
    telemetry = Telemetry()
    telemetry.watch_following(Followed(tuple, lambda: 3.0, lambda: 1))
    found = told(telemetry)
    assert of(found, "grantproof_organizations_followed") == 0
    assert of(found, "grantproof_snapshot_revisions") == 0
    assert of(found, "grantproof_snapshot_age_seconds") == 3


def test_changes_and_charges_are_told_by_outcome() -> None:
    """Each with its retries."""
    changes, charges = attempts.Attempts(["accepted"]), attempts.Attempts(["charged"])
    telemetry = Telemetry()
    telemetry.watch_changes(changes.tally)
    telemetry.watch_charges(charges.tally)
    changes.count("accepted")
    changes.retry()
    charges.count("unavailable")
    charges.retry()
    charges.retry()
    found = told(telemetry)
    assert by(found, "grantproof_changes_total") == {"accepted": 1, "unavailable": 0}
    assert of(found, "grantproof_commit_retries_total") == 1
    assert by(found, "grantproof_charges_total") == {"charged": 0, "unavailable": 1}
    assert of(found, "grantproof_charge_retries_total") == 2


def test_the_solver_is_told_by_ending_and_duration() -> None:
    """Each ending by its own number; durations in seconds, each bucket with what is shorter."""
    endings: dict[Ending, int] = dict(zip(ENDINGS, (6, 7, 8, 9, 10), strict=True))
    buckets = [1, *[0] * (len(BOUNDS) - 2), 2, 3]
    telemetry = Telemetry()
    telemetry.watch_solver(lambda: EndingCounts(endings, Durations(buckets, 12.5)))
    found = told(telemetry)
    assert by(found, "grantproof_solver_runs_total") == {
        "answered": 6,
        "time": 7,
        "memory": 8,
        "crashed": 9,
        "refused": 10,
    }
    name = "grantproof_solver_run_duration_seconds"
    assert of(found, f"{name}_bucket", le=str(BOUNDS[0])) == 1
    assert of(found, f"{name}_bucket", le=str(BOUNDS[-1])) == 3
    assert of(found, f"{name}_bucket", le="+Inf") == of(found, f"{name}_count") == 6
    assert of(found, f"{name}_sum") == 12.5


def test_refused_credentials_are_told() -> None:
    """One number, of no caller."""
    telemetry = Telemetry()
    telemetry.watch_credentials(lambda: 12)
    assert of(told(telemetry), "grantproof_credentials_refused_total") == 12


def test_the_queue_of_the_decision_log_is_told_with_its_bound() -> None:
    """So that its share can be asked for."""
    telemetry = Telemetry()
    telemetry.watch_decision_log(lambda: decision_log.LogCounts(11, 12, 13, 14))
    found = told(telemetry)
    entries = by(found, "grantproof_decision_log_entries_total")
    assert entries == {"written": 11, "dropped": 12}
    assert of(found, "grantproof_decision_log_waiting_entries") == 13
    assert of(found, "grantproof_decision_log_waiting_entries_max") == 14


def test_contracts_are_told_and_differences_of_the_shadow_by_name() -> None:
    """What looks for `shadow` finds it."""
    telemetry = Telemetry()
    telemetry.watch_contracts(
        lambda: contracts.ContractCounts(CHECKS, VIOLATIONS, 8, CaseCounts(9, 10))
    )
    found = told(telemetry)
    assert by(found, "grantproof_contract_checks_total") == CHECKS
    assert by(found, "grantproof_contract_violations_total") == VIOLATIONS
    assert of(found, "grantproof_shadow_evaluations_total") == 9
    assert of(found, "grantproof_shadow_differences_total") == 7
    assert of(found, "grantproof_organizations_withdrawn_total") == 8
    assert by(found, "grantproof_cases_total") == {"kept": 9, "dropped": 10}


@pytest.mark.parametrize("verified", [True, False])
def test_the_verification_is_told(verified: bool) -> None:
    """1 or 0, and of which source."""
    telemetry = Telemetry()
    telemetry.tell_verification(verified=verified, source="c0ffee")
    found = told(telemetry)
    assert of(found, "grantproof_verified") == int(verified)
    ((labels),) = [labels for name, labels in found if name == "grantproof_verification_info"]
    assert dict(labels)["source"] == "c0ffee"
    assert dict(labels)["version"] != ""


def test_the_process_is_told() -> None:
    """What it uses of the machine, where the system tells that, and which Python it is."""
    names = families(Telemetry().written().decode())
    assert {"python_info", "python_gc_collections_total"} <= set(names)
    if sys.platform == "linux":
        assert {"process_resident_memory_bytes", "process_cpu_seconds_total"} <= set(names)


def test_names_are_in_base_units() -> None:
    """Seconds and bytes; a counter ends in `_total`, and nothing else does."""
    for name, family in families(watching_everything().written().decode()).items():
        assert name.endswith("_total") == (family.type == "counter"), name
        assert not name.endswith(("_ms", "_milliseconds", "_microseconds", "_percent")), name


def test_snapshot_files_are_told_by_outcome() -> None:
    """Each outcome by its own number."""
    telemetry = Telemetry()
    telemetry.watch_snapshot_files(
        lambda: shelf.ShelfCounts(used=1, written=2, ignored=3, failed=4)
    )
    assert by(told(telemetry), "grantproof_snapshot_files_total") == {
        "used": 1,
        "written": 2,
        "ignored": 3,
        "failed": 4,
    }
