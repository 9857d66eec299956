"""What reviews find, as documents: the same at every door."""

from typing import Any

from grantproof.policyfile import documents
from grantproof.service.access_review import Access
from grantproof.service.duty_report import Counted, Named, Standing
from grantproof.service.expiring import Timed

Document = dict[str, Any]


def way_document(way: Access) -> Document:
    """Return a way in which a principal holds a role."""
    holding = way.holding
    return {
        "principal": str(way.principal.id),
        "active": way.principal.active,
        "role": str(way.roles[-1]),
        "assigned": str(holding.role),
        "groups": list(map(str, holding.groups)),
        "roles": list(map(str, way.roles)),
        "from": holding.validity.start,
        "until": holding.validity.end,
        "lasts_until": way.lasts_until,
        "claims": [documents.Claim.of(claim).written() for claim in way.claims],
    }


def timed_document(timed: Timed) -> Document:
    """Return an assignment whose time matters."""
    return {
        "principal": str(timed.holder) if timed.kind == "principal" else None,
        "group": str(timed.holder) if timed.kind == "group" else None,
        "role": str(timed.role),
        "from": timed.validity.start,
        "until": timed.validity.end,
        "stage": timed.stage,
        "at": timed.instant,
    }


def standing_document(standing: Standing) -> Document:
    """Return a separation-of-duty set and how its holders stand to it."""
    return {
        "sod_set": documents.SodSet.of(standing.sod_set).written(),
        "unusable": list(map(str, standing.unusable)),
        "holders": [
            {"roles": roles, "principals": principals}
            for roles, principals in sorted(standing.holders.items())
        ],
        "near": _listed(standing.near),
        "over": _listed(standing.over),
    }


def counted_document(counted: Counted) -> Document:
    """Return a principal and the roles of a set that it holds together."""
    return {
        "principal": str(counted.principal),
        "roles": list(map(str, counted.roles)),
        "from": counted.start,
    }


def _listed(found: Named) -> Document:
    return {"count": found.count, "items": list(map(counted_document, found.first))}
