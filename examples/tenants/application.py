"""Software as a service: each tenant is an organization, asked about with a key of its own.

Two fences stand between tenants. Here, the tenant comes from who asks and never from the address,
so there is no way to name another's. In Grantproof, a tenant's key tells nothing of another's
organization: were the application wrong, the answer would be Deny.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Unpack

import httpx2
from fastapi import Depends, FastAPI, Header, HTTPException, Path, Request
from pydantic import BaseModel, Field

from examples.tenants.sign_up import Taken, assignment, joining, sign_up
from grantproof.client import (
    AsyncClient,
    Changed,
    Decision,
    Options,
    Question,
    Rejected,
    Said,
    Terms,
    Undetermined,
)
from grantproof.client.fastapi import Refused, Requiring, answer_problems
from grantproof.client.refusals import UNAVAILABLE

Word = Annotated[str, Field(pattern="^[a-z]{1,30}$")]
Named = Annotated[str, Path(pattern="^[a-z]{1,30}$")]
PROJECT = Said(resource_kind="project")
SERVER = os.environ["GRANTPROOF_SERVER"]
OPTIONS = Options(timeout_seconds=10)


class SignUp(BaseModel):
    """Who wants to be a tenant, and who is to administer it."""

    tenant: Word
    administrator: Word


class Invitation(BaseModel):
    """Somebody to be let in."""

    person: Word


class Project(BaseModel):
    """What a tenant has here."""

    text: str


class Tenants:
    """Decides about `name@tenant` with the key of that tenant."""

    waits = False

    def decide(
        self, principal: str, action: str, resource: str, **said: Unpack[Said]
    ) -> Awaitable[Decision]:
        """Return the decision about that name, in the organization of its tenant."""
        name, tenant = principal.split("@")
        return clients[tenant].decide(name, action, resource, **said)


clients: dict[str, AsyncClient] = {}
"""The client of each tenant. In production the keys are in the store of secrets."""
projects: dict[tuple[str, str], Project] = {}
"""By tenant and name. In production a database."""
operator = httpx2.AsyncClient(
    base_url=SERVER,
    headers={"Authorization": f"Bearer {os.environ['GRANTPROOF_OPERATORS_KEY']}"},
    timeout=OPTIONS.timeout_seconds,
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Let the connections go when the application stops."""
    async with operator:
        yield
    for client in clients.values():
        await client.close()


def user(x_user: Annotated[str | None, Header(pattern="^[a-z]+@[a-z]+$")] = None) -> str:
    """Return who asks, with the tenant that they are of.

    This believes whoever says so, which is no authentication at all. In production both are of a
    session, or of a token that was checked.
    """
    if x_user is None or x_user.partition("@")[2] not in clients:
        raise HTTPException(401, "say who you are, as in `X-User: ann@acme`")
    return x_user


User = Annotated[str, Depends(user)]
app = FastAPI(title="Tenants", lifespan=lifespan)
answer_problems(app)
require = Requiring(Tenants(), principal=user)


def project(_: Request) -> Said:
    """Return what is said of every project: that it is one."""
    return PROJECT


@app.post("/tenants", status_code=201)
async def found(wanted: SignUp) -> dict[str, str]:
    """Sign up. Open to everybody here; in production something stands before it that counts."""
    try:
        key = await sign_up(operator, wanted.tenant, wanted.administrator)
    except Taken:
        raise HTTPException(409, "this name is taken") from None
    except httpx2.HTTPError:
        raise Refused(UNAVAILABLE) from None
    clients[wanted.tenant] = AsyncClient(
        SERVER, key["key"], organization=wanted.tenant, options=OPTIONS
    )
    # The prefix is no secret: by it the audit names the key.
    return {"administrator": f"{wanted.administrator}@{wanted.tenant}", "key": key["prefix"]}


@app.post("/people", status_code=201, dependencies=[Depends(require("invite", "people"))])
async def invite(new: Invitation, caller: User) -> dict[str, str]:
    """Let somebody into the caller's tenant, as a member at first."""
    await change(caller, list(joining(new.person, "member")))
    return {"person": f"{new.person}@{tenant_of(caller)}"}


@app.put(
    "/people/{person}/roles/{role}",
    status_code=204,
    dependencies=[Depends(require("assign", "role:{role}"))],
)
async def give_role(person: Named, role: Named, caller: User) -> None:
    """Give somebody of the caller's tenant a role."""
    await change(caller, [assignment(person, role)])


@app.get("/projects")
async def list_projects(caller: User) -> list[str]:
    """Name the projects of the caller's tenant that the caller may read."""
    name, _, tenant = caller.partition("@")
    own = sorted(one for owner, one in projects if owner == tenant)
    asked = [Question(name, "read", f"projects/{one}", PROJECT) for one in own]
    decisions = await clients[tenant].decide_many(asked)
    if any(isinstance(decision, Undetermined) for decision in decisions):
        raise Refused(UNAVAILABLE)
    return [one for one, decision in zip(own, decisions, strict=True) if decision.allowed]


@app.get(
    "/projects/{name}", dependencies=[Depends(require("read", "projects/{name}", context=project))]
)
async def read_project(name: Named, caller: User) -> Project:
    """Show a project of the caller's tenant."""
    if (tenant_of(caller), name) not in projects:
        raise HTTPException(404, "there is no such project")
    return projects[tenant_of(caller), name]


@app.put(
    "/projects/{name}", dependencies=[Depends(require("write", "projects/{name}", context=project))]
)
async def write_project(name: Named, new: Project, caller: User) -> Project:
    """Write a project of the caller's tenant, or begin one."""
    projects[tenant_of(caller), name] = new
    return new


async def change(caller: str, commands: Sequence[Mapping[str, Any]]) -> None:
    """Have the organization of the caller's tenant changed; who asked for it is kept with it."""
    terms = Terms(reason=f"asked for by {caller}")
    match await clients[tenant_of(caller)].change(commands, terms=terms):
        case Changed():
            return
        case Rejected(_, detail):
            raise HTTPException(409, detail)
        case Undetermined():
            raise Refused(UNAVAILABLE)


def tenant_of(caller: str) -> str:
    """Return the tenant that somebody is of."""
    return caller.partition("@")[2]
