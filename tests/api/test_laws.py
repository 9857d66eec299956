"""What holds between routes, whatever is asked of whatever organization, over every store.

Each of these was once broken by an authorization service that others relied on.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.certificate import Certificate
from grantproof.core.limits import PAGE_ITEMS_MAX
from grantproof.core.matching import Request, resolve
from grantproof.core.model import Claim, Exactly
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, Deny, Reason, evaluate
from grantproof.policyfile import documents
from grantproof.policyfile.answers import evaluation
from grantproof.service.pip import local_time
from tests.api.everywhere import OWN, Everywhere, asked, everywhere
from tests.api.service import Api, Json
from tests.postgresql import Server
from tests.properties.tally import Tally
from tests.strategies.names import FEW
from tests.strategies.organizations import organizations
from tests.strategies.questions import Question, questions_on

QUESTIONS_MAX: Final = 6
COLLECTIONS: Final = (
    "principals",
    "groups",
    "roles",
    "kinds",
    "resources",
    "claims",
    "sod-sets",
    "memberships",
    "nestings",
    "assignments",
    "events",
)
SAID: Final = (
    "decision",
    "reason",
    "reason_code",
    "revision",
    "decided_at",
    "claim_id",
    "certificate",
)
"""What the reference says too; until when it holds is the index's own."""


@dataclass(frozen=True)
class Survey:
    """An organization, some questions on it, and the instant at which they are asked."""

    state: Organization
    questions: list[Question]
    instant: int


@st.composite
def surveys(draw: st.DrawFn) -> Survey:
    """Small organizations, and questions that are often allowed."""
    state = draw(organizations(OWN))
    questions = draw(st.lists(questions_on(state, OWN), min_size=1, max_size=QUESTIONS_MAX))
    return Survey(state, questions, draw(FEW.instants))


@pytest.fixture(scope="module")
def here(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: Server
) -> Iterator[Everywhere]:
    """The application over every kind of store; what they tell differently fails any test."""
    with everywhere(tmp_path_factory.mktemp("laws"), postgresql_server) as found:
        yield found


def made(here: Everywhere, survey: Survey) -> Organization:
    """The organization of the survey, made everywhere; it is the instant at which is asked."""
    here.clock.instant = survey.instant
    return here.make(survey.state)


def single(here: Everywhere, state: Organization, question: Question) -> Json:
    """The answer to one question."""
    return here.post("/evaluate", {"org_id": state.id, **asked(question)})


def test_every_store_answers_what_the_semantics_say(here: Everywhere) -> None:
    """The index, over HTTP, in memory and in both databases, is the reference; P-SOUND."""
    tally = Tally("answers over every store")

    @settings(max_examples=60)
    @given(survey=surveys())
    def hold(survey: Survey) -> None:
        state = made(here, survey)
        for question in survey.questions:
            answer = single(here, state, question)
            expected = reference(state, question, instant=survey.instant)
            assert {name: answer.get(name) for name in SAID} == {
                name: expected.get(name) for name in SAID
            }
            tally.saw("allowed", answer["decision"] == "Allow")
            tally.saw(f"{answer['reason_code']}")

    hold()
    tally.expect(allowed=15, constraint_failed=5)


def reference(state: Organization, question: Question, *, instant: int) -> Json:
    """What the reference says at the instant where nothing has been used yet, as it is written."""
    context = replace(
        question.context,
        instant=instant,
        year=local_time(instant, state.time_zone).year,
        usage=question.context.usage or 0,
        rate=question.context.rate or 0,
        principal_properties=NO_ATTRIBUTES,
        resource_properties=NO_ATTRIBUTES,
        action_properties=NO_ATTRIBUTES,
    )
    outcome: Claim | Reason
    proof: Certificate | None = None
    match evaluate(state, question.request, context):
        case Allow(proof):
            outcome = proof.claim
        case Deny(outcome):
            pass
    written = evaluation(
        outcome,
        revision=state.revision,
        decided_at=instant,
        valid_until=None,
        certificate=proof,
    )
    told: Json = json.loads(msgspec.json.encode(written))
    return told


@settings(max_examples=40)
@given(survey=surveys())
def test_an_item_of_a_batch_is_answered_as_alone(here: Everywhere, survey: Survey) -> None:
    """Whatever its place, and whatever else is in the batch: batch[i] = single(i)."""
    state = made(here, survey)
    items = [asked(question) for question in survey.questions]
    batch = here.post("/evaluate/batch", {"org_id": state.id, "items": items})
    alone = [single(here, state, question) for question in survey.questions]
    assert batch["items"] == alone


@settings(max_examples=25)
@given(survey=surveys(), limit=st.integers(1, 3))
def test_all_pages_together_are_the_collection(
    here: Everywhere, survey: Survey, limit: int
) -> None:
    """For every collection, store and size of a page: nothing twice, nothing missing, in order."""
    state = made(here, survey)
    for api, collection in product(here.apis.values(), COLLECTIONS):
        address = f"/v1/orgs/{state.id}/{collection}"
        (whole,) = pages(api, address, limit=PAGE_ITEMS_MAX)
        parts = pages(api, address, limit=limit)
        assert [item for part in parts for item in part] == whole
        assert all(len(part) == limit for part in parts[:-1])


def pages(api: Api, address: str, *, limit: int) -> list[list[Json]]:
    """The items of every page."""
    found: list[list[Json]] = []
    after: str | None = ""
    while after is not None:
        cursor = f"&after={quote(after, safe='')}" if after else ""
        page = api.get(f"{address}?limit={limit}{cursor}").json()
        assert "items" in page, page
        found.append(page["items"])
        after = page["next"]
    return found


@settings(max_examples=40)
@given(survey=surveys())
def test_no_condition_is_dropped(here: Everywhere, survey: Survey) -> None:
    """Every claim shows all its constraints, and every certificate what each of them saw."""
    state = made(here, survey)
    shown = here.get(f"/v1/orgs/{state.id}/claims?limit=1000")["items"]
    assert shown == [
        documents.Claim.of(state.claims[claim]).written() for claim in sorted(state.claims)
    ]
    conditions = {claim["id"]: claim["constraints"] for claim in shown}
    for question in survey.questions:
        certificate = single(here, state, question)["certificate"]
        if certificate is not None:
            claim = certificate["claim"]
            seen = [one["constraint"] for one in certificate["observations"]]
            assert seen == claim["constraints"] == conditions[claim["id"]]


def test_a_search_is_the_filter_of_evaluate(here: Everywhere) -> None:
    """All pages of it: each of those that are there, if and only if it is allowed when asked."""
    tally = Tally("searches over every store")

    @settings(max_examples=50)
    @given(survey=surveys())
    def hold(survey: Survey) -> None:
        state = made(here, survey)
        for question in survey.questions:
            for sought, names in candidates(state, question.request).items():
                found = searched(here, state, question.request, sought=sought)
                assert found == allowed(here, state, question.request, sought=sought, names=names)
                tally.saw(sought, len(found) > 0)
                tally.saw("paged", len(found) > 1)

    hold()
    tally.expect(subject=10, resource=10, action=10, paged=1)


def candidates(state: Organization, request: Request) -> dict[str, list[str]]:
    """Everybody and everything that a search of each sort could find."""
    kind = kind_of(state, request)
    there = [*state.resources, *state.implicit_resources()]
    named = {
        claim.action.value for claim in state.claims.values() if isinstance(claim.action, Exactly)
    }
    return {
        "subject": sorted(state.principals),
        "resource": sorted(
            one
            for one in there
            if kind_of(state, replace(request, resource=one, kind=None)) == kind
        ),
        "action": sorted(named),
    }


def kind_of(state: Organization, request: Request) -> str:
    """The kind of the resource: as it is known, or as the request says."""
    target = resolve(state, request)
    return request.kind or "document" if target is None else target.kind


def allowed(
    here: Everywhere, state: Organization, request: Request, *, sought: str, names: list[str]
) -> list[str]:
    """Those of the names that are allowed, asked one by one."""
    field = {"subject": "principal_id", "resource": "resource_id", "action": "action"}[sought]
    whole = {
        "principal_id": request.principal,
        "action": request.action,
        "resource_id": request.resource,
        "resource_kind": kind_of(state, request),
    }
    items = [{**whole, field: name} for name in names]
    answers = here.post("/evaluate/batch", {"org_id": state.id, "items": items})["items"]
    return [
        name for name, answer in zip(names, answers, strict=True) if answer["decision"] == "Allow"
    ]


def searched(here: Everywhere, state: Organization, request: Request, *, sought: str) -> list[str]:
    """What the search finds, on all pages together, each of one."""
    body: Json = {
        "subject": {"type": "user", "id": request.principal},
        "action": {"name": request.action},
        "resource": {"type": kind_of(state, request), "id": request.resource},
    }
    if sought == "action":
        del body["action"]
    found, page = list[str](), {"limit": 1}
    while True:
        path = f"/orgs/{state.id}/access/v1/search/{sought}"
        told = here.post(path, {**body, "page": page})
        found += [one["name" if sought == "action" else "id"] for one in told["results"]]
        if not told["page"]["next_token"]:
            return found
        assert len(told["results"]) == 1
        page = {"limit": 1, "token": told["page"]["next_token"]}
