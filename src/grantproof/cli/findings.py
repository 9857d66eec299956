"""What is wrong with all that a database holds: itself, its organizations, their events."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from grantproof.bootstrap import Services
    from grantproof.core.identifiers import OrganizationId
    from grantproof.service.audit import AuditPoint
    from grantproof.service.audit_chain import Fault
    from grantproof.service.ports import OrganizationSummary, Store

DIFFERENCES_SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found, a line each; `violations` and `differences` by organization."""

    damage: tuple[str, ...]
    violations: dict[str, list[str]]
    audit: list[str]

    @property
    def lines(self) -> list[str]:
        """All of it."""
        return [
            *self.damage,
            *(one for each in self.violations.values() for one in each),
            *self.audit,
        ]


def every_organization(store: "Store") -> Iterator["OrganizationSummary"]:
    """Yield every organization, in the order of their ids."""
    from grantproof.core.limits import PAGE_ITEMS_MAX

    page = store.summaries(limit=PAGE_ITEMS_MAX)
    while page:
        yield from page
        page = store.summaries(after=page[-1].id, limit=PAGE_ITEMS_MAX)


def findings(services: "Services", audit: "AuditPoint") -> Findings:
    """Read everything, and return what is wrong with it.

    Raises `StoreUnusable` when not even the organizations can be listed.
    """
    store = services.store
    organizations = [one.id for one in every_organization(store)]
    damage, chains = store.damage(), audit.organizations()
    violations = {str(name): list(_violations(store, name)) for name in organizations}
    return Findings(
        damage, violations, [line for name in chains for line in _chain_faults(audit, name)]
    )


def differences(audit: "AuditPoint", name: str) -> list[str]:
    """Return the first stored rows of an organization that are not what its events make them."""
    return [
        f"organization `{name}`, table `{one.table}`, row"
        f" {', '.join(f'`{part}`' for part in one.key)}: {one.what}"
        for one in islice(audit.differences(name), DIFFERENCES_SHOWN_MAX)
    ]


def _chain_faults(audit: "AuditPoint", name: str) -> Iterator[str]:
    return (fault_line(name, fault) for fault in audit.verify(name).faults)


def fault_line(organization: str, fault: "Fault") -> str:
    """Return what is wrong with a chain, and where, in a line."""
    return f"organization `{organization}`, event {fault.revision}: {fault.what}"


def _violations(store: "Store", name: "OrganizationId") -> Iterator[str]:
    from grantproof.core.invariants import valid
    from grantproof.service.ports import StoreUnusable

    try:
        state = store.load(name)
    except StoreUnusable as error:
        yield str(error)
        return
    for violation in () if state is None else valid(state):
        yield f"organization `{name}` breaks {violation.invariant} at {', '.join(violation.ids)}"
