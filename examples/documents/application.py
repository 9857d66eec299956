"""Documents in folders: every route asks Grantproof whether the caller may do what it does.

Grantproof knows which documents there are, in which folder, and whose they are; the texts are ours.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field

from grantproof.client import AsyncClient, Changed, Options, Question, Rejected, Terms, Undetermined
from grantproof.client.fastapi import Refused, Requiring, answer_problems
from grantproof.client.refusals import UNAVAILABLE

Name = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]


class Text(BaseModel):
    """What a document says."""

    text: str


class NewDocument(Text):
    """A document to be made."""

    name: Name


texts = {
    "welcome": "Coffee is on the second floor.",
    "holidays": "The office is closed in August.",
    "merger": "Nobody is to know before May.",
}
"""In production a database; a document that is registered and has no text yet is not found."""

client = AsyncClient(
    os.environ["GRANTPROOF_SERVER"],
    os.environ["GRANTPROOF_KEY"],
    organization="documents",
    options=Options(timeout_seconds=10),
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Let the connections go when the application stops."""
    async with client:
        yield


def user(x_user: Annotated[str | None, Header(pattern="^[a-z]+$")] = None) -> str:
    """Return who asks.

    This believes whoever says so, which is no authentication at all. In production return the
    subject of a session, or of a token that was checked.
    """
    if x_user is None:
        raise HTTPException(401, "say who you are, as in `X-User: vic`")
    return x_user


User = Annotated[str, Depends(user)]
app = FastAPI(title="Documents", lifespan=lifespan)
answer_problems(app)
require = Requiring(client, principal=user)


@app.get("/documents")
async def list_documents(caller: User) -> list[str]:
    """Name the documents that the caller may read: one batch, at one revision and one instant."""
    names = sorted(texts)
    decisions = await client.decide_many(
        [Question(caller, "read", f"docs/{name}") for name in names]
    )
    # A list that lacks what was not decided would look complete.
    if any(isinstance(decision, Undetermined) for decision in decisions):
        raise Refused(UNAVAILABLE)
    return [name for name, decision in zip(names, decisions, strict=True) if decision.allowed]


@app.get("/documents/{name}", dependencies=[Depends(require("read", "docs/{name}"))])
async def read_document(name: str) -> Text:
    """Show a document."""
    if name not in texts:
        raise HTTPException(404, "this document has no text")
    return Text(text=texts[name])


@app.put("/documents/{name}", dependencies=[Depends(require("edit", "docs/{name}"))])
async def edit_document(name: str, new: Text) -> Text:
    """Write a document anew."""
    texts[name] = new.text
    return new


@app.post(
    "/folders/{folder}/documents",
    status_code=201,
    dependencies=[Depends(require("create", "folders/{folder}"))],
)
async def create_document(folder: str, new: NewDocument, caller: User) -> NewDocument:
    """Make a document in a folder. It is the caller's: what may be done with it follows."""
    resource = {
        "id": f"docs/{new.name}",
        "kind": "document",
        "parent": f"folders/{folder}",
        "attributes": {"owner": caller},
    }
    await change({"type": "CreateResource", "resource": resource}, by=caller)
    texts[new.name] = new.text
    return new


@app.delete(
    "/documents/{name}", status_code=204, dependencies=[Depends(require("delete", "docs/{name}"))]
)
async def delete_document(name: str, caller: User) -> None:
    """Delete a document."""
    await change(
        {"type": "DeleteResource", "resource": f"docs/{name}", "cascade": False}, by=caller
    )
    texts.pop(name, None)


async def change(command: dict[str, object], *, by: str) -> None:
    """Tell Grantproof what is there now; whatever this client asks next is answered with that."""
    match await client.change([command], terms=Terms(reason=f"asked for by {by}")):
        case Changed():
            return
        case Rejected():
            raise HTTPException(409, "there is such a document, or it is gone")
        case Undetermined():
            raise Refused(UNAVAILABLE)
