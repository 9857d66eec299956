"""The metadata of AuthZEN: where the API is, as the operator says, whatever a request says."""

import pytest

from grantproof.adapters.memory import MemoryStore
from tests.api.service import Api, problem, serving

METADATA = "/.well-known/authzen-configuration"
PUBLIC = "https://pdp.example.com"


def configured(base: str) -> dict[str, str]:
    """What is told of an API that begins there."""
    at = f"{base}/access/v1"
    return {
        "policy_decision_point": base,
        "access_evaluation_endpoint": f"{at}/evaluation",
        "access_evaluations_endpoint": f"{at}/evaluations",
        "search_subject_endpoint": f"{at}/search/subject",
        "search_resource_endpoint": f"{at}/search/resource",
        "search_action_endpoint": f"{at}/search/action",
    }


@pytest.mark.parametrize("host", ["localhost", "evil.example", "pdp.example.com"])
def test_it_is_told_from_the_settings(host: str) -> None:
    """To everybody, and never from the header `Host` or another that names an address."""
    with serving(MemoryStore(), public_url=PUBLIC) as api:
        headers = {"Host": host, "X-Forwarded-Host": host, "Forwarded": f"host={host}"}
        answer = api.get(METADATA, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json() == configured(PUBLIC)


def test_each_organization_has_its_own() -> None:
    """Found by its address; whether the organization is there is not told."""
    with serving(MemoryStore(), public_url=PUBLIC) as api:
        for organization in ("acme", "absent"):
            answer = api.get(f"{METADATA}/orgs/{organization}")
            assert answer.json() == configured(f"{PUBLIC}/orgs/{organization}")
        problem(api.get(f"{METADATA}/orgs/no org"), 400, "invalid")


def test_without_the_setting_there_is_none(steady: Api) -> None:
    """404, and which setting it takes: an address is never guessed."""
    for address in (METADATA, f"{METADATA}/orgs/acme"):
        told = problem(steady.get(address), 404, "not_found")
        assert "GRANTPROOF_PUBLIC_URL" in told["detail"]


def test_what_lies_below_is_no_route_and_is_closed() -> None:
    """Only the two addresses take no credential."""
    with serving(MemoryStore(), public_url=PUBLIC) as api:
        for rest in ("/orgs", "/orgs/", "/orgs/acme/x", "/acme", "/"):
            problem(api.get(METADATA + rest), 401, "unauthenticated")
