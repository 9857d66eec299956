"""A policy verified as a whole: its problems, its tests, its guardrails, and what it grants.

For pipelines. What is undetermined is never a pass, and what was not run says so.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from grantproof.analysis.dead import (
    Dead,
    RedundantAssignment,
    RedundantClaim,
    Unactivatable,
    Unholdable,
    Unreachable,
    Unsatisfiable,
    Unsure,
    Unused,
    conflicts,
    dead,
)
from grantproof.analysis.difference import difference
from grantproof.analysis.findings import Change, Direction, Unsettled
from grantproof.analysis.guardrails import Inquiry
from grantproof.analysis.solving import Solver
from grantproof.analysis.verdicts import Counterexample, Holds, Verdict, Violated
from grantproof.core.model import Assignment
from grantproof.core.organization import Organization
from grantproof.policyfile.faults import Location
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.policyfile.policy_folder import PolicyReading, read_files
from grantproof.policyfile.policy_test_text import Suite, misnamed, read_tests
from grantproof.service.counterexamples import counterexample_message, write_counterexample
from grantproof.service.difference_text import (
    because,
    circumstances,
    headline,
    may,
    unsettled_line,
    where,
    who,
)
from grantproof.service.pip import calendar
from grantproof.service.policy_checks import Told, check_reading, state_of
from grantproof.service.policy_tests import Result, Share, Trial
from grantproof.service.verification_report import (
    Access,
    Finding,
    Level,
    Report,
    Rule,
    Spot,
    Stage,
)

CHANGES_SHOWN_MAX: Final = 100
"""So many gains, and so many losses, are findings of their own; all are counted."""


@dataclass(frozen=True, slots=True)
class Base:
    """What to compare with: a state, nothing at all when there was no policy yet, or `faults`."""

    name: str
    state: Organization | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Files:
    """The texts of a policy and of its tests by the names of their files, and what is unreadable.

    `unreadable` has the spot and the reason of each.
    """

    policy: Mapping[str, str]
    tests: Mapping[str, str]
    unreadable: tuple[tuple[Spot, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts as a failure besides: anything gained, any warning."""

    no_new_access: bool = False
    strict: bool = False


def verify(
    files: Files,
    terms: Terms,
    *,
    base: Base | None,
    now: int,
    told: Told = lambda _more, _all: None,
) -> Report:
    """Return what comes of the policy; `now`, in epoch seconds, is where examples are looked for.

    A policy with problems is not looked at further.
    """
    if files.unreadable:
        unread = [
            Finding(Rule.FILE, Level.UNREADABLE, spot.file, why, spot)
            for spot, why in files.unreadable
        ]
        return Report(None, (Stage("check", _count(len(unread), "fault"), tuple(unread)), *NOT_RUN))
    reading = read_files(files.policy)
    checked = check_reading(reading, told=told)
    if not isinstance(checked, OrganizationDocument):
        problems = tuple(
            Finding(
                Rule.POLICY,
                Level.ERROR,
                problem.file,
                _unplaced(problem.message, spot := Spot(problem.file, problem.place[1:])),
                spot,
                document=problem.written(),
            )
            for problem in checked
        )
        return Report(None, (Stage("check", _count(len(problems), "problem"), problems), *NOT_RUN))
    inquest = _Inquest(reading, checked, now=now)
    difference_stage, access = inquest.difference(base, terms)
    stages = (
        _sound(files, checked),
        inquest.tests(files.tests),
        inquest.guardrails(),
        difference_stage,
        inquest.warnings(terms),
    )
    return Report(checked.id, stages, access)


NOT_RUN: Final = tuple(
    Stage(name, "the policy has to be put right first", run=False)
    for name in ("test", "guardrails", "diff", "warnings")
)


class _Inquest:
    """Looks at one policy without problems; what the stages have in common is made once."""

    def __init__(self, reading: PolicyReading, document: OrganizationDocument, *, now: int) -> None:
        self._reading, self._document, self._now = reading, document, now
        self._state = state_of(document)
        self._solver = Solver(calendar=calendar(document.time_zone))
        self._first = Spot(next(iter(reading.sources)))
        self._paths: dict[object, Location] = {
            **{("role", one.id): ("roles", i) for i, one in enumerate(document.roles)},
            **{("claim", one.id): ("claims", i) for i, one in enumerate(document.claims)},
            **{one.core(): ("assignments", i) for i, one in enumerate(document.assignments)},
        }

    def tests(self, texts: Mapping[str, str]) -> Stage:
        """Run the tests that stand beside the policy."""
        if not texts:
            return Stage("test", "no file of tests", run=False)
        trial, found = Trial(self._state), list[Finding]()
        for file, text in texts.items():
            found.extend(_tested(trial, Spot(file), text, state=self._state))
        counts = Counter(one.level for one in found if one.rule is Rule.TEST)
        parts = [f"{counts[Level.OK]} passed, {counts[Level.ERROR]} failed"]
        wrong = sum(one.rule is Rule.TEST_FILE for one in found)
        parts += [_count(wrong, "problem")] if wrong else []
        shares = (("claims", trial.claims()), ("roles", trial.roles()))
        parts += [_exercised(noun, share) for noun, share in shares]
        return Stage("test", "; ".join(parts), tuple(found))

    def guardrails(self) -> Stage:
        """Judge every guardrail, of all requests, instants and contexts."""
        listed = self._document.guardrails
        if not listed:
            return Stage("guardrails", "the policy has none", run=False)
        spots = self._spots(("guardrails", i) for i in range(len(listed)))
        inquiry = Inquiry(self._state, self._solver, now=self._now)
        found = [
            _judged(str(one.id), inquiry.judge(self._state.guardrails[one.id]), spots[path])
            for path, one in ((("guardrails", i), one) for i, one in enumerate(listed))
        ]
        held = sum(one.level is Level.OK for one in found)
        return Stage("guardrails", f"{held} of {len(found)} hold", tuple(found))

    def difference(self, base: Base | None, terms: Terms) -> tuple[Stage, Access | None]:
        """Compare what the policy allows with what the base does."""
        if base is None:
            return Stage("diff", "no base to compare with", run=False), None
        if base.faults:
            faults = [Finding(Rule.BASE, Level.UNREADABLE, base.name, why) for why in base.faults]
            return Stage("diff", f"the base `{base.name}` cannot be read", tuple(faults)), None
        before = self._document.empty() if base.state is None else base.state
        found = difference(
            before, self._state, self._solver, now=self._now, limit=CHANGES_SHOWN_MAX
        )
        level = Level.ERROR if terms.no_new_access else Level.NOTE
        spots = self._spots(self._claim_path(one.certificate.claim.id) for one in found.gains)
        findings = [
            *(
                _changed(one, level, spots[self._claim_path(one.certificate.claim.id)])
                for one in found.gains
            ),
            *(self._unsettled(one, terms) for one in found.undetermined),
            *(_changed(one, Level.NOTE, self._first) for one in found.losses),
        ]
        summary = headline(found)
        if base.state is None:
            summary = f"{summary} (no policy at the base)"
        if before.time_zone != self._state.time_zone:
            zones = f"`{before.time_zone}` to `{self._state.time_zone}`"
            why = f"the time zone changes from {zones}: hours are compared as they are told"
            findings.append(Finding(Rule.CHANGE, Level.WARNING, "time_zone", why, self._first))
        return Stage("diff", summary, tuple(findings)), Access(base.name, found)

    def warnings(self, terms: Terms) -> Stage:
        """Find what is without effect, and the roles that nobody can use."""
        met = [
            *conflicts(self._state),
            *dead(self._state, self._solver, now=self._now),
        ]
        paths = [self._path(one) for one in met]
        spots = self._spots(paths)
        found = tuple(
            _warned(one, spots[path], strict=terms.strict)
            for one, path in zip(met, paths, strict=True)
        )
        return Stage("warnings", _count(len(found), "warning"), found)

    def _unsettled(self, one: Unsettled, terms: Terms) -> Finding:
        """Return what is not known; a loss that is not known grants nothing."""
        gain = one.direction is Direction.GAIN
        rule = Rule.GAIN if gain else Rule.LOSS
        matters = gain or not terms.no_new_access
        level = Level.UNDETERMINED if matters else Level.NOTE
        return Finding(rule, level, _asked(one), unsettled_line(one), self._first)

    def _path(self, one: Dead | Unholdable | Unactivatable) -> Location:
        """Return which part of the document a warning is about."""
        match one:
            case Unused(role) | Unholdable(role) | Unactivatable(role):
                return self._paths.get(("role", role), ())
            case RedundantAssignment(held):
                return self._paths.get(held, ())
            case Unreachable() | Unsatisfiable() | RedundantClaim() | Unsure():
                return self._claim_path(one.claim.id)
            case _:
                assert_never(one)

    def _claim_path(self, claim: str) -> Location:
        return self._paths.get(("claim", claim), ())

    def _spots(self, paths: Iterable[Location]) -> dict[Location, Spot]:
        """Return where parts of the policy stand; each file is searched once."""
        asked = {path: self._reading.spot(path) for path in paths}
        wanted: dict[str, list[Location]] = {}
        for file, path in asked.values():
            wanted.setdefault(file, []).append(path)
        places = {
            file: self._reading.sources[file].locate(inside) for file, inside in wanted.items()
        }
        return {path: Spot(file, places[file][at]) for path, (file, at) in asked.items()}


def _sound(files: Files, document: OrganizationDocument) -> Stage:
    count = _count(len(files.policy), "file")
    found = [Finding(Rule.POLICY, Level.OK, f, "no problems", Spot(f)) for f in files.policy]
    return Stage("check", f"organization `{document.id}` in {count}: no problems", tuple(found))


def _tested(trial: Trial, whole: Spot, text: str, *, state: Organization) -> Iterator[Finding]:
    """Yield what becomes of each test of a file, or everything that is wrong with the file."""
    file, tests = whole.file, read_tests(text)
    wrong = misnamed(tests, state) if isinstance(tests, Suite) else tests
    for problem in wrong:
        spot = Spot(file, (problem.line, problem.column))
        message = _unplaced(problem.in_file(file), spot)
        yield Finding(Rule.TEST_FILE, Level.ERROR, file, message, spot)
    if isinstance(tests, Suite) and not wrong:
        results = list(trial.run(tests.document, lambda _name: True))
        places = tests.source.locate(result.path for result in results)
        for result in results:
            yield _resulted(result, Spot(file, places[result.path]))


def _resulted(result: Result, spot: Spot) -> Finding:
    if result.passed:
        return Finding(Rule.TEST, Level.OK, result.name, "passed", spot)
    message = f"{result.name}: {'; '.join(result.wrong)}"
    details = (f"expected: {result.expected}", f"actual: {result.actual}")
    return Finding(Rule.TEST, Level.ERROR, result.name, message, spot, details)


def _judged(name: str, verdict: Verdict, spot: Spot) -> Finding:
    match verdict:
        case Holds():
            return Finding(Rule.GUARDRAIL, Level.OK, name, f"guardrail `{name}` holds", spot)
        case Violated(found):
            return Finding(
                Rule.GUARDRAIL,
                Level.ERROR,
                name,
                counterexample_message(found),
                spot,
                tuple(_shown(found)),
                write_counterexample(found),
            )
        case unknown:
            why = f"it is not known whether guardrail `{name}` holds: {unknown.why}"
            return Finding(Rule.GUARDRAIL, Level.UNDETERMINED, name, why, spot)


def _shown(found: Counterexample) -> Iterator[str]:
    """Yield each request of the counterexample, with the way that allows it and its context."""
    for one in found.evidence:
        request, allowed = one.request, one.certificate
        way = " > ".join((*allowed.groups, *allowed.roles))
        asked = f"{request.principal} {request.action} {request.resource}"
        yield f"{asked}: by claim {allowed.claim.id} ({way}) at {circumstances(one.context)}"


def _changed(change: Change, level: Level, spot: Spot) -> Finding:
    scope = change.scope
    gain = change.direction is Direction.GAIN
    verb, rule = ("gains", Rule.GAIN) if gain else ("loses", Rule.LOSS)
    message = f"{who(scope)} {verb}: {may(scope.actions)} on {where(scope.subjects)}"
    asked = _asked(change)
    details = (f"{asked} at {circumstances(change.context)}", because(change))
    return Finding(rule, level, f"{verb}: {asked}", message, spot, details)


def _asked(one: Change | Unsettled) -> str:
    example = one.scope.example
    return f"{example.principal} {example.action} {example.resource}"


def _warned(one: Dead | Unholdable | Unactivatable, spot: Spot, *, strict: bool) -> Finding:
    rule, name, why = _warning(one)
    level = Level.ERROR if strict else Level.WARNING
    if isinstance(one, Unsure):
        level = Level.UNDETERMINED if strict else Level.NOTE
    return Finding(rule, level, name, why, spot)


def _warning(one: Dead | Unholdable | Unactivatable) -> tuple[Rule, str, str]:
    """Return what a warning is about, the name of that, and the warning in words."""
    match one:
        case Unused(role):
            return Rule.UNUSED_ROLE, role, f"nobody ever holds role `{role}`"
        case Unholdable(role, sod_set):
            why = f"nobody can hold role `{role}`: with what it inherits it breaks set `{sod_set}`"
            return Rule.UNHOLDABLE_ROLE, role, why
        case Unactivatable(role, sod_set):
            why = (
                f"nobody can activate role `{role}`: it breaks set `{sod_set}` by what it inherits"
            )
            return Rule.UNHOLDABLE_ROLE, role, why
        case Unreachable(claim):
            why = f"nobody who is active may use role `{claim.role}` of claim `{claim.id}`"
            return Rule.DEAD_CLAIM, claim.id, why
        case Unsatisfiable(claim):
            why = f"in no context do the constraints of claim `{claim.id}` hold together"
            return Rule.DEAD_CLAIM, claim.id, why
        case Unsure(claim, doubt):
            why = f"it is not known whether claim `{claim.id}` has an effect: {doubt}"
            return Rule.DEAD_CLAIM, claim.id, why
        case RedundantClaim(claim, other):
            why = f"claim `{claim.id}` could go: claim `{other.id}` says as much"
            return Rule.REDUNDANT_CLAIM, claim.id, why
        case RedundantAssignment(held, better):
            holder = held.principal if isinstance(held, Assignment) else held.group
            why = (
                f"the assignment of role `{held.role}` to `{holder}` could go:"
                f" role `{better.role}` is held as long"
            )
            return Rule.REDUNDANT_ASSIGNMENT, f"{holder} {held.role}", why
        case _:
            assert_never(one)


def _exercised(noun: str, share: Share) -> str:
    return f"{len(share.exercised)} of {len(share.all)} {noun} exercised"


def _unplaced(message: str, spot: Spot) -> str:
    """Return the message of a problem without the place, which the finding has."""
    return message.removeprefix(f"{spot}: ")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun if count == 1 else f'{noun}s'}"
