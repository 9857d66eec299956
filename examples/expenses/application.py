"""Expenses with separation of duty: who submits does not approve, large ones take two people.

The rules are in policy.yaml. What the application adds is the facts of each expense, which it
says as attributes with each question, and never takes from whoever asks.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from grantproof.client import AsyncClient, Changed, Options, Rejected, Said, Terms, Undetermined
from grantproof.client.fastapi import Refused, Requiring, answer_problems
from grantproof.client.refusals import FORBIDDEN, UNAVAILABLE, refusal


class NewExpense(BaseModel):
    """What is asked back."""

    what: str
    amount: Annotated[int, Field(ge=1, le=1_000_000)]


class Expense(NewExpense):
    """An expense, and who had which part in it."""

    number: str
    submitted_by: str
    endorsed_by: str | None = None
    approved_by: str | None = None


expenses: dict[str, Expense] = {}
"""In production a database."""

SERVER = os.environ["GRANTPROOF_SERVER"]
OPTIONS = Options(timeout_seconds=10)
client = AsyncClient(SERVER, os.environ["GRANTPROOF_KEY"], organization="expenses", options=OPTIONS)
desks = {
    "erin": AsyncClient(
        SERVER, os.environ["GRANTPROOF_ERINS_KEY"], organization="expenses", options=OPTIONS
    )
}
"""Changes are made with the credential of whoever asks for them, so that Grantproof itself decides
whether they may, and records who did. In production that is the token of their own session."""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Let the connections go when the application stops."""
    yield
    for one in (client, *desks.values()):
        await one.close()


def user(x_user: Annotated[str | None, Header(pattern="^[a-z]+$")] = None) -> str:
    """Return who asks.

    This believes whoever says so, which is no authentication at all. In production return the
    subject of a session, or of a token that was checked.
    """
    if x_user is None:
        raise HTTPException(401, "say who you are, as in `X-User: sam`")
    return x_user


def facts(request: Request) -> Said:
    """Return what is known of the expense in the path. What is not known fails its constraint."""
    found = expenses.get(request.path_params["number"])
    if found is None:
        return Said(resource_kind="expense")
    known = {"submitted_by": found.submitted_by, "endorsed_by": found.endorsed_by}
    told = {name: value for name, value in known.items() if value is not None}
    return Said(resource_kind="expense", attributes={"amount": found.amount, **told})


User = Annotated[str, Depends(user)]
Person = Annotated[str, Path(pattern="^[a-z]+$")]
app = FastAPI(title="Expenses", lifespan=lifespan)
answer_problems(app)
require = Requiring(client, principal=user)


@app.get("/expenses", dependencies=[Depends(require("read", "ledger"))])
async def list_expenses() -> list[Expense]:
    """Show every expense."""
    return list(expenses.values())


@app.post("/expenses", status_code=201)
async def submit(new: NewExpense, caller: User) -> Expense:
    """Submit an expense: asked and counted in one step, so that nobody submits past the quota."""
    refused = refusal(await client.consume(caller, "submit", "ledger"))
    if refused is not None:
        raise Refused(refused)
    number = str(len(expenses) + 1)
    expenses[number] = Expense(**new.model_dump(), number=number, submitted_by=caller)
    return expenses[number]


@app.post(
    "/expenses/{number}/endorsement",
    dependencies=[Depends(require("endorse", "ledger/{number}", context=facts))],
)
async def endorse(number: str, caller: User) -> Expense:
    """Be the first of two who look at a large expense."""
    found = pending(number)
    if found.endorsed_by is not None:
        raise HTTPException(409, f"expense {number} was endorsed by {found.endorsed_by} already")
    found.endorsed_by = caller
    return found


@app.post(
    "/expenses/{number}/approval",
    dependencies=[Depends(require("approve", "ledger/{number}", context=facts))],
)
async def approve(number: str, caller: User) -> Expense:
    """Have the expense paid, once."""
    found = pending(number)
    found.approved_by = caller
    return found


def pending(number: str) -> Expense:
    """Return the expense if nobody has approved it; otherwise it stays as it is, and that is 409.

    Who may ask was decided by the facts of a moment ago. Nobody's part is ever written over, so
    what has come since cannot turn that decision around. In production the look and the change are
    one transaction, as they are here, where nothing is awaited between them.
    """
    found = expenses[number]
    if found.approved_by is not None:
        raise HTTPException(409, f"expense {number} was approved by {found.approved_by} already")
    return found


@app.put("/people/{person}/roles/{role}", dependencies=[Depends(require("assign", "role:{role}"))])
async def give_role(person: Person, role: str, caller: User) -> Response:
    """Give somebody a role. Who may is shown the evidence against it when it is refused."""
    if caller not in desks:
        raise Refused(FORBIDDEN)
    match await desks[caller].assign(person, role, terms=Terms(reason="asked for on the web site")):
        case Changed(revision):
            return JSONResponse({"revision": revision})
        case Rejected(_, detail, status, witness):
            return JSONResponse({"detail": detail, "witness": witness}, status)
        case Undetermined():
            raise Refused(UNAVAILABLE)
