"""Search: of all subjects, resources or actions those for which the evaluation says `true`.

Who can be among them is found in a thread, on one state; each is then decided as any question is,
on the loop, a few at a time. A page is of one state and one instant: where a change comes between,
it is begun anew. Its cost is bounded: it looks at so many candidates at the most.

https://openid.net/specs/authorization-api-1_0.html, section 8.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

from msgspec import UnsetType

from grantproof.api import decisions
from grantproof.api.authzen.candidates import Candidates
from grantproof.api.authzen.meaning import AuthzenQuestion, Meaning
from grantproof.api.authzen.pages import Place, place_of, token_of
from grantproof.api.authzen.shapes import (
    Action,
    ActionFound,
    ActionSearch,
    Entity,
    Page,
    PageProperties,
    PageTold,
    Resource,
    ResourceSearch,
    Results,
    Subject,
    SubjectSearch,
    encode,
)
from grantproof.api.problems import Problem, Refused, forbidden, later
from grantproof.api.recording import Diary
from grantproof.api.validation import reader
from grantproof.core import identifiers
from grantproof.core.identifiers import PrincipalId, ResourceId
from grantproof.core.index import Index
from grantproof.core.limits import SEARCH_ATTEMPTS_MAX, SEARCH_SLICE_MAX, SEARCHED_MAX
from grantproof.core.matching import Request
from grantproof.core.organization import Organization
from grantproof.service import searching
from grantproof.service.callers import Caller
from grantproof.service.pdp import DecisionPoint, MeterUnread

CHANGING: Final[Problem] = later(
    "contended", f"the organization changed {SEARCH_ATTEMPTS_MAX} times meanwhile: try again"
)
ANYTHING: Final = "_"
"""Stands for what is sought until a candidate does: a name that every kind of thing may have."""

read_subject_search: Final = reader(SubjectSearch)
read_resource_search: Final = reader(ResourceSearch)
read_action_search: Final = reader(ActionSearch)


class Search(NamedTuple):
    """A search: what is asked of each candidate, and who they can be.

    `named` is what of the entities its answer depends on. `put` puts a candidate into the question.
    """

    named: tuple[str, ...]
    page: Page | UnsetType
    asked: AuthzenQuestion
    candidates: Callable[[Organization, Request], Iterable[str]]
    put: Callable[[AuthzenQuestion, Request, str], AuthzenQuestion]
    found: Callable[[str], Entity | ActionFound]


class Found(NamedTuple):
    """What a page has, and after whom the next one begins, if there may be one."""

    names: list[str]
    more_after: str | None
    instant: int


class Moved(Exception):
    """The organization changed while a page of it was made."""


class Searches:
    """Answers searches. Methods run on the loop that owns the indexes."""

    def __init__(
        self, following: decisions.Decisions, point: DecisionPoint, meaning: Meaning
    ) -> None:
        self._following = following
        self._point = point
        self._meaning = meaning
        self._candidates = Candidates()

    async def subject(
        self, body: bytes, caller: Caller, _: Diary | None, *, organization: str
    ) -> bytes:
        """Return a page of subjects; raises `Refused` or `StoreError`."""
        read = read_subject_search(body)
        kind, groups = read.subject.type, self._meaning.types.groups

        def candidates(state: Organization, request: Request) -> Iterable[str]:
            if kind not in groups:
                return ()
            return searching.principals(state, request, group=groups[kind])

        def put(asked: AuthzenQuestion, request: Request, name: str) -> AuthzenQuestion:
            asking = replace(request, principal=PrincipalId(name))
            return asked._replace(subject=Subject(kind, name), request=asking)

        asked = self._meaning.asked(
            Subject(kind, ANYTHING, read.subject.properties),
            read.action,
            read.resource,
            context=read.context,
            may_override=caller.trusted_context,
        )
        named = ("subject", kind, read.action.name, read.resource.type, read.resource.id)
        search = Search(named, read.page, asked, candidates, put, partial(Entity, kind))
        return await self._answered(search, caller, organization)

    async def resource(
        self, body: bytes, caller: Caller, _: Diary | None, *, organization: str
    ) -> bytes:
        """Return a page of resources; raises `Refused` or `StoreError`."""
        read = read_resource_search(body)
        kind = read.resource.type

        def put(asked: AuthzenQuestion, request: Request, name: str) -> AuthzenQuestion:
            return asked._replace(request=replace(request, resource=ResourceId(name)))

        asked = self._meaning.asked(
            read.subject,
            read.action,
            Resource(kind, ANYTHING, read.resource.properties),
            context=read.context,
            may_override=caller.trusted_context,
        )
        named = ("resource", read.subject.type, read.subject.id, read.action.name, kind)
        search = Search(named, read.page, asked, searching.resources, put, partial(Entity, kind))
        return await self._answered(search, caller, organization)

    async def action(
        self, body: bytes, caller: Caller, _: Diary | None, *, organization: str
    ) -> bytes:
        """Return a page of actions; raises `Refused` or `StoreError`."""
        read = read_action_search(body)

        def put(asked: AuthzenQuestion, request: Request, name: str) -> AuthzenQuestion:
            return asked._replace(request=replace(request, action=identifiers.Action(name)))

        asked = self._meaning.asked(
            read.subject,
            Action(ANYTHING),
            read.resource,
            context=read.context,
            may_override=caller.trusted_context,
        )
        named = (
            *("action", read.subject.type, read.subject.id),
            *(read.resource.type, read.resource.id),
        )
        search = Search(named, read.page, asked, searching.actions, put, ActionFound)
        return await self._answered(search, caller, organization)

    async def _answered(self, search: Search, caller: Caller, organization: str) -> bytes:
        whole = [organization, *search.named, search.asked.context]
        place = place_of(search.page, whole)
        for _ in range(SEARCH_ATTEMPTS_MAX):
            index = await self._following.index(organization, caller)
            if index is None:
                raise Refused(forbidden(organization))
            state, request = index.state, search.asked.request
            candidates: Sequence[str] = ()
            if isinstance(request, Request):
                candidates = await self._candidates.after(
                    (organization, state.revision, *search.named),
                    partial(search.candidates, state, request),
                    name=place.after,
                    limit=SEARCHED_MAX + 1,
                )
            try:
                found = await self._found(index, search, candidates, state=state, place=place)
            except Moved:
                continue
            except MeterUnread:
                await self._following.metered(index)
                continue
            more = found.more_after
            token = "" if more is None else token_of(whole, place._replace(after=more))
            results = [search.found(name) for name in found.names]
            told = PageTold(token, len(results), PageProperties(state.revision, found.instant))
            return encode(Results(results, told))
        raise Refused(CHANGING)

    async def _found(
        self,
        index: Index,
        search: Search,
        candidates: Sequence[str],
        *,
        state: Organization,
        place: Place,
    ) -> Found:
        """Return the page that begins there; raises `Moved` and `MeterUnread`."""
        asked, instant = search.asked, self._point.instant()
        request, names, after = asked.request, list[str](), place.after
        if not isinstance(request, Request):
            return Found(names, None, instant)
        for position, name in enumerate(candidates[:SEARCHED_MAX]):
            if position % SEARCH_SLICE_MAX == 0:
                await asyncio.sleep(0)
                if index.state is not state:
                    raise Moved
            question = search.put(asked, request, name)
            if self._meaning.answer(self._point, index, question, instant=instant).allowed:
                if len(names) == place.results_max:
                    return Found(names, after, instant)
                names.append(name)
            after = name
        return Found(names, after if len(candidates) > SEARCHED_MAX else None, instant)
