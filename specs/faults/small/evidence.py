"""Executable property of certificates: every Allow carries one that passes, no forgery does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from grantproof.core import model as m
from grantproof.core.certificate import Certificate, check
from grantproof.core.constraints import Observation, observe
from grantproof.core.identifiers import ClaimId
from grantproof.core.matching import resolve, situate
from grantproof.core.policy import Allow, evaluate
from specs.faults.small import words
from specs.faults.small.acts import Question, questions
from specs.faults.small.property import Objection, Property, Small
from specs.faults.small.worlds import OFFICE, Facts
from tests.properties import oracle


@dataclass(frozen=True)
class Shown:
    """A question and the certificate shown for it: `None` means the one that comes with it."""

    question: Question
    certificate: Certificate | None = None
    lying: bool = False


def unconvincing(small: Small, shown: Shown) -> Objection | None:
    """Object to a certificate that is accepted for what is denied, and to a bad genuine one."""
    if shown.certificate is None:
        decision = evaluate(small.state, *shown.question)
        if not isinstance(decision, Allow) or accepts(small, shown.question, decision.certificate):
            return None
        return Objection("its own certificate is accepted", "its own certificate is rejected")
    forged = readdressed(small, shown)
    if forged is None or not accepts(small, shown.question, forged):
        return None
    if oracle.ask(small.world, *shown.question).granted is not None:
        return None
    return Objection("rejected: nothing grants the request", "accepted")


def accepts(small: Small, question: Question, certificate: Certificate) -> bool:
    """Return whether the checker accepts the certificate."""
    return check(small.state, *question, certificate=certificate)


def readdressed(small: Small, shown: Shown) -> Certificate | None:
    """Return the certificate made out for the question, with what its constraints see of it.

    A lying one claims that every constraint held.
    """
    (request, context), base = shown.question, shown.certificate
    target = resolve(small.state, request)
    if base is None or target is None or request.principal not in small.state.principals:
        return None
    situation = situate(small.state, request, context, target=target)
    seen = (observe(constraint, situation) for constraint in base.claim.constraints)
    whole, up = target.lineage, target.lineage.index
    named = base.claim.resource.value if isinstance(base.claim.resource, m.Within) else None
    return replace(
        base,
        revision=small.state.revision,
        instant=context.instant,
        principal=request.principal,
        resources=whole[: up(named) + 1] if named in whole else (request.resource,),
        observations=tuple(_lie(one) if shown.lying else one for one in seen),
    )


def _lie(observation: Observation) -> Observation:
    return replace(observation, held=True)


def certificates(facts: Facts) -> Iterator[Shown]:
    """Yield every question with its own certificate, and with every other that can be had."""
    asked, small = list(questions(facts)), Small(facts)
    yield from (Shown(question) for question in asked)
    pool = list(dict.fromkeys(forgeries(small, asked)))
    known = (one for one in asked if one[0].principal in small.state.principals)
    for question in known:
        if oracle.ask(small.world, *question).granted is not None:
            continue
        for certificate in pool:
            yield Shown(question, certificate)
            if certificate.claim.constraints:
                yield Shown(question, certificate, lying=True)


def forgeries(small: Small, asked: list[Question]) -> Iterator[Certificate]:
    """Yield the genuine certificates stripped of their addressee, and each bent in one respect."""
    for question in asked:
        decision = evaluate(small.state, *question)
        if isinstance(decision, Allow):
            base = decision.certificate
            claim = base.claim
            bare = replace(base, instant=0, observations=(), resources=())
            yield bare
            yield replace(bare, roles=(claim.role,))
            yield from (
                replace(bare, groups=(), roles=(held.role, claim.role), validity=held.validity)
                for held in small.facts
                if isinstance(held, m.Assignment)
            )
            yield replace(bare, groups=())
            yield replace(bare, groups=bare.groups[-1:])
            yield replace(bare, claim=replace(claim, id=ClaimId("forged"), constraints=()))
            yield replace(bare, claim=replace(claim, constraints=()))


def told(shown: Shown) -> str:
    """Return a question and its certificate in words."""
    asked = words.question(*shown.question)
    certificate = shown.certificate
    if certificate is None:
        return asked
    way = " -> ".join([*certificate.groups, *certificate.roles])
    lies = ", saying that all held" if shown.lying else ""
    evidence = f"by {way}: {words.sentence(certificate.claim)}{lies}"
    return f"{asked} A certificate says Allow, {evidence}"


PROPERTIES = {"P-CERT": Property((OFFICE,), certificates, unconvincing, told)}
