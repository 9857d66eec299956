"""Change sets: several commands as one, all of them or none."""

from typing import Any

from fastapi import Response
from pydantic import ValidationError

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Fault, Refused, invalid
from grantproof.api.replies import shown
from grantproof.api.schemas.events import Revision
from grantproof.api.schemas.requests import ChangeSetBody
from grantproof.api.scope import PREFIX, Changing
from grantproof.api.strictness import strict_router
from grantproof.api.validation import malformed
from grantproof.core.commands.language import ChangeSet, SingleCommand
from grantproof.policyfile.command_documents import DOCUMENTS
from grantproof.policyfile.faults import TAG

router = strict_router(f"{PREFIX}/changes", tag="changes", access=ADMINISTRATION)


@router.post("", response_model=Revision)
def change(changing: Changing, body: ChangeSetBody) -> Response:
    """Make several changes at once, in order, under one revision, or say whether they could be."""
    commands = tuple(command_of(item, position) for position, item in enumerate(body.commands))
    if body.dry_run:
        changing.rehearse(ChangeSet(commands))
        revision = changing.seen().state.revision
    else:
        revision = changing.propose(ChangeSet(commands)).state.revision
    return shown(Revision(revision=revision), revision)


def command_of(item: dict[str, Any], position: int) -> SingleCommand:
    """Return the command that an item of a body is, the one at that position; raises `Refused`."""
    name = item.get(TAG)
    if not isinstance(name, str) or name not in DOCUMENTS:
        rule = f"must be one of {', '.join(f'`{one}`' for one in sorted(DOCUMENTS))}"
        raise Refused(invalid([Fault(f"commands[{position}].{TAG}", rule)]))
    fields = {field: value for field, value in item.items() if field != TAG}
    try:
        return DOCUMENTS[name].model_validate(fields).core()
    except ValidationError as error:
        raise Refused(malformed(error, inside=("commands", position))) from None
