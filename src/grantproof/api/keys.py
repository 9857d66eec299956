"""API keys: made, listed and revoked by operators.

Not by an organization's administrators: a key acts for another principal, so whoever makes keys may
do what any principal may.
"""

from fastapi import Response

from grantproof.api.access import OPERATION
from grantproof.api.conditions import WantedOnce, unmet
from grantproof.api.problems import Fault, Problem, Refused, invalid
from grantproof.api.replies import JSON, WantedPage
from grantproof.api.running import Calling, Here
from grantproof.api.schemas.keys import KeyAnswer, KeyPage, NewKeyAnswer, NewKeyBody
from grantproof.api.strictness import strict_router
from grantproof.api.validation import printable
from grantproof.core.limits import KEYS_MAX
from grantproof.service.keyring import MadeBefore, NewKey, NoSuchPrincipal
from grantproof.service.pap import NoOrganization
from grantproof.service.receipts import InProgress, KeyReused

router = strict_router("/v1/keys", tag="keys", access=OPERATION)


@router.get("", response_model=KeyPage)
def list_keys(here: Here, wanted: WantedPage) -> Response:
    """List the keys, revoked and expired ones too, in the order of their prefixes."""
    found = here.services.keyring.page(after=wanted.after or "", limit=wanted.limit + 1)
    shown = found[: wanted.limit]
    end = shown[-1].prefix if len(found) > wanted.limit else None
    page = KeyPage.model_construct(items=[KeyAnswer.of(key) for key in shown], next=end)
    return Response(page.model_dump_json(), media_type=JSON)


@router.post("", status_code=201, response_model=NewKeyAnswer)
def create_key(here: Here, caller: Calling, body: NewKeyBody, *, once: WantedOnce) -> Response:
    """Make a key; it is shown in this answer and never again.

    The same request under the same `Idempotency-Key` makes no other key and gets the same answer
    again, but for `key`, which is null: whoever has lost it revokes that key and makes another.
    """
    made = here.services.keyring.create(body.wanted(), by=caller.author, once=once)
    match made:
        case NewKey():
            answer = NewKeyAnswer.made(made)
        case MadeBefore():
            answer = NewKeyAnswer.made_before(made)
        case KeyReused() | InProgress():
            raise Refused(unmet(made))
        case NoOrganization():
            raise Refused(invalid([Fault("org_id", "must be an organization that exists")]))
        case NoSuchPrincipal():
            raise Refused(invalid([Fault("principal_id", "must exist in its organization")]))
        case _:
            detail = f"there are {KEYS_MAX} keys, and no more may be made"
            raise Refused(Problem("over_limit", detail))
    return Response(answer.model_dump_json(), 201, media_type=JSON)


@router.delete("/{prefix}", status_code=204)
def revoke_key(here: Here, caller: Calling, prefix: str) -> Response:
    """Revoke a key for good: here at once, elsewhere within `max_staleness` seconds."""
    if not here.services.keyring.revoke(prefix, by=caller.author):
        detail = f"key `{printable(prefix)}` does not exist, or is revoked already"
        raise Refused(Problem("not_found", detail))
    return Response(status_code=204)
