"""What the service says of itself to clients of AuthZEN: where each part of the API is.

All of it is from the settings: what a request says of the address it came by, such as its header
`Host`, must not be told to others. Of an organization nothing is looked up, so the answer does not
tell whether there is one. https://openid.net/specs/authorization-api-1_0.html, section 9.
"""

from typing import Final

from fastapi import Response

from grantproof.api import front
from grantproof.api.access import AUTHZEN_METADATA
from grantproof.api.problems import Problem, Refused
from grantproof.api.replies import JSON
from grantproof.api.running import Here, Running
from grantproof.api.schemas.authzen import Configuration
from grantproof.api.strictness import strict_router
from grantproof.policyfile.fields import OrganizationField

UNPUBLISHED: Final = Problem(
    "not_found", "no metadata is published: the operator has to set GRANTPROOF_PUBLIC_URL"
)

router = strict_router(AUTHZEN_METADATA, tag="authzen", access=None)


@router.get("", response_model=Configuration)
async def authzen_configuration(here: Here) -> Response:
    """Tell where the API is, for credentials that are bound to an organization."""
    return _told(here, "")


@router.get(front.OF_ORGANIZATION, response_model=Configuration)
async def authzen_configuration_of_organization(here: Here, org: OrganizationField) -> Response:
    """Tell where the API of one organization is; it is not looked up."""
    return _told(here, front.OF_ORGANIZATION.format(org=org))


def _told(here: Running, base: str) -> Response:
    if here.public_url is None:
        raise Refused(UNPUBLISHED)
    point = here.public_url + base
    told = Configuration(
        policy_decision_point=point,
        access_evaluation_endpoint=point + front.EVALUATION,
        access_evaluations_endpoint=point + front.EVALUATIONS,
        search_subject_endpoint=point + front.SEARCH_SUBJECT,
        search_resource_endpoint=point + front.SEARCH_RESOURCE,
        search_action_endpoint=point + front.SEARCH_ACTION,
    )
    return Response(told.model_dump_json(), media_type=JSON)
