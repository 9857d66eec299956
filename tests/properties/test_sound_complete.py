"""P-SOUND, P-COMPLETE, P-DENY-DEFAULT and P-CERT: decisions against every chain there is."""

from dataclasses import replace

from hypothesis import given, settings

from grantproof.core.certificate import Certificate, check
from grantproof.core.constraints import Context
from grantproof.core.identifiers import PrincipalId, ResourceId
from grantproof.core.matching import Request
from grantproof.core.model import (
    Assignment,
    Claim,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    Within,
)
from grantproof.core.organization import Organization, facts, with_fact, without_fact
from grantproof.core.policy import Allow, Deny, evaluate
from tests.properties import oracle
from tests.properties.agreement import as_answer
from tests.properties.tally import Tally
from tests.strategies.crowded import crowds
from tests.strategies.questions import Question, contexts, questions
from tests.strategies.surveys import survey


def count_allow(tally: Tally, certificate: Certificate, request: Request) -> None:
    """What kinds of chains were met."""
    tally.saw("allow")
    tally.saw("inherited", len(certificate.roles) > 1)
    tally.saw("through_groups", len(certificate.groups) > 0)
    tally.saw("through_nesting", len(certificate.groups) > 1)
    tally.saw("constrained", len(certificate.claim.constraints) > 0)
    tally.saw("in_session", request.active_roles is not None)
    tally.saw("descendant", isinstance(certificate.claim.resource, Within))
    tally.saw("unregistered", request.resource == "unregistered")
    tally.saw("limited", certificate.validity.end is not None)


def compare(tally: Tally, question: Question) -> None:
    """P-SOUND and P-COMPLETE: the same answer, the same claim or the same reason."""
    state, request, context = question.state, question.request, question.context
    decision = evaluate(state, request, context)
    expected = oracle.answer(state, request, context)
    assert as_answer(decision) == expected
    if isinstance(decision, Allow) and state is not None:
        count_allow(tally, decision.certificate, request)
        assert check(state, request, context, certificate=decision.certificate)
    else:
        tally.saw(str(expected.why[0]).replace(" ", "_"))


def test_p_sound_p_complete_aimed_questions_are_answered_as_every_chain_says() -> None:
    """P-SOUND, P-COMPLETE, P-CERT: Allow iff a chain grants, and its certificate checks."""
    tally = Tally("P-SOUND, aimed")

    @settings(max_examples=150)
    @given(questions())
    def holds(question: Question) -> None:
        compare(tally, question)

    holds()
    tally.expect(allow=15, constrained=2, constraint=3, no_claim=2)


def test_p_sound_p_complete_surveys_are_answered_as_every_chain_says() -> None:
    """P-SOUND, P-COMPLETE, P-CERT: the same over everything that can be asked of few names."""
    tally = Tally("P-SOUND, surveys")

    @settings(max_examples=120)
    @given(crowds(), contexts())
    def holds(state: Organization, context: Context) -> None:
        for request, moment in survey(state, context):
            compare(tally, Question(state, request, moment))

    holds()
    tally.expect(
        allow=150,
        inherited=30,
        through_groups=40,
        through_nesting=2,
        constrained=20,
        in_session=20,
        descendant=30,
        unregistered=10,
        limited=50,
        principal=300,
        suspended=300,
        resource=600,
        session=100,
        no_role=600,
        no_claim=600,
        constraint=25,
    )


def test_p_deny_default_what_is_not_there_is_denied() -> None:
    """P-DENY-DEFAULT: no organization, principal, resource, activity or role: Deny, always."""
    tally = Tally("P-DENY-DEFAULT")

    @settings(max_examples=80)
    @given(questions())
    def holds(question: Question) -> None:
        request, context = question.request, question.context
        assert isinstance(evaluate(None, request, context), Deny)
        if question.state is None:
            return
        allowed = isinstance(evaluate(question.state, request, context), Allow)
        stranger = replace(request, principal=PrincipalId("stranger"))
        nowhere = replace(request, resource=ResourceId("nowhere"), kind=None)
        idle = replace(request, active_roles=frozenset())
        people = question.state.principals
        asleep = replace(
            question.state,
            principals=people
            if request.principal not in people
            else people.set(request.principal, replace(people[request.principal], active=False)),
        )
        bare = Organization(question.state.id, principals=people)
        for state, asked in (
            (question.state, stranger),
            (question.state, nowhere),
            (question.state, idle),
            (asleep, request),
            (bare, request),
        ):
            tally.saw("denied_what_was_allowed", allowed)
            assert isinstance(evaluate(state, asked, context), Deny)

    holds()
    tally.expect(denied_what_was_allowed=50)


def test_p_cert_a_certificate_passes_only_where_the_oracle_allows() -> None:
    """P-CERT: shown for other requests and contexts, it passes only if those are allowed too."""
    tally = Tally("P-CERT")

    @settings(max_examples=120)
    @given(crowds(), contexts())
    def holds(state: Organization, context: Context) -> None:
        asked = list(survey(state, context))
        decisions = [evaluate(state, *one) for one in asked]
        issued = [each.certificate for each in decisions if isinstance(each, Allow)]
        of = oracle.world(state)
        for certificate in issued[:6]:
            for request, moment in asked:
                if check(state, request, moment, certificate=certificate):
                    tally.saw("accepted")
                    assert oracle.ask(of, request, moment).granted is not None
                else:
                    tally.saw("refused")

    holds()
    tally.expect(accepted=120, refused=10_000)


def neighbours(state: Organization) -> list[Organization]:
    """The organization with one fact less, or with one principal suspended; same revision."""
    links = (Membership, Nesting, Inheritance, Assignment, GroupAssignment, Claim)
    there = [fact for fact in facts(state) if isinstance(fact, links)]
    awake = [replace(one, active=False) for one in state.principals.values()]
    return [
        *(without_fact(state, fact) for fact in there),
        *(with_fact(state, one) for one in awake),
    ]


def test_p_cert_a_certificate_passes_in_another_state_only_if_that_allows_too() -> None:
    """P-CERT: take away any one thing that it may rest on, and it passes only where still true."""
    tally = Tally("P-CERT, neighbours")

    @settings(max_examples=100)
    @given(crowds(), contexts())
    def holds(state: Organization, context: Context) -> None:
        asked = list(survey(state, context))
        allowed = [
            (request, moment, decision.certificate)
            for request, moment in asked
            if isinstance(decision := evaluate(state, request, moment), Allow)
        ]
        allowed.sort(key=lambda one: len(one[2].groups) + len(one[2].roles), reverse=True)
        others = [(one, oracle.world(one)) for one in neighbours(state)] if allowed else []
        for request, moment, certificate in allowed[:4]:
            for other, of in others:
                accepted = check(other, request, moment, certificate=certificate)
                tally.saw("accepted" if accepted else "refused")
                assert not accepted or oracle.ask(of, request, moment).granted is not None

    holds()
    tally.expect(accepted=200, refused=50)
