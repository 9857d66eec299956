"""An organization as the one document that an export writes in parts."""

from grantproof.core.organization import Organization
from grantproof.policyfile.organization_document import (
    OrganizationDocument,
    entries_of,
    heading_of,
)


def from_organization(state: Organization) -> OrganizationDocument:
    """Return the document of an organization; every list is sorted by what its entries name."""
    lists = {name: tuple(entries) for name, entries in entries_of(state).items()}
    return OrganizationDocument.holding(**heading_of(state), **lists)
