"""An analysis that says what is not so: of formulas, guardrails, changes, people and rules."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault

ANALYSIS: Final = "grantproof.analysis"

_misjudged = partial(Fault, kind="analysis", property_id="P-ANALYSIS", gate=Executable())

FAULTS: Final = (
    _misjudged(
        id="analysis-window-end",
        sentence="the solver is told that a window includes its end",
        edits=(
            Edit(
                f"{ANALYSIS}.encoding",
                "z3.And(self._hour >= start, self._hour < end, days)",
                "z3.And(self._hour >= start, self._hour <= end, days)",
            ),
        ),
    ),
    _misjudged(
        id="analysis-window-days",
        sentence="the solver is not told of the days of a window",
        edits=(
            Edit(
                f"{ANALYSIS}.encoding",
                "z3.And(self._hour >= start, self._hour < end, days)",
                "z3.And(self._hour >= start, self._hour < end)",
            ),
        ),
    ),
    _misjudged(
        id="analysis-comparison-strict",
        sentence="the solver is told that at most means less",
        edits=(
            Edit(
                f"{ANALYSIS}.encoding",
                "Operator.LE: left.number <= right.number,",
                "Operator.LE: left.number < right.number,",
            ),
        ),
    ),
    _misjudged(
        id="analysis-guess-unconfirmed",
        sentence="a context that is guessed is believed without a test",
        edits=(
            Edit(
                f"{ANALYSIS}.favourable",
                "return context if true_in(formula, context) else None",
                "return context",
            ),
        ),
    ),
    _misjudged(
        id="analysis-within-is-exactly",
        sentence="a claim on what lies within a resource is looked for at the resource only",
        edits=(
            Edit(
                f"{ANALYSIS}.overlaps",
                "found.update(patterns_on(target))",
                "found.update({*patterns_on(target)} - {*map(Within, target.lineage[1:])})",
            ),
        ),
    ),
    _misjudged(
        id="analysis-gain-skipped",
        sentence="a change that gives access is taken for one that only takes it away",
        edits=(
            Edit(
                f"{ANALYSIS}.guarding",
                "                for one in removed\n            )\n        case _:\n"
                "            return False",
                "                for one in removed\n            )\n        case _:\n"
                "            return True",
            ),
        ),
    ),
    _misjudged(
        id="analysis-assignment-untouched",
        sentence="after an assignment the requests of whoever has it are not looked at",
        edits=(
            Edit(
                f"{ANALYSIS}.guarding",
                "        case Membership() | Assignment():\n            return (fact.principal,)",
                "        case Membership():\n            return (fact.principal,)",
            ),
        ),
    ),
    _misjudged(
        id="analysis-overtaken",
        sentence="what others did while a change was judged is not judged with it",
        edits=(
            Edit(
                "grantproof.service.guarding",
                "compose((undone(judged.event.delta), *others, change.event.delta))",
                "compose((undone(judged.event.delta), change.event.delta))",
            ),
        ),
    ),
    _misjudged(
        id="analysis-broken-kept",
        sentence="a change that was found to break a guardrail is gone on from as if it kept it",
        edits=(
            Edit(
                "grantproof.service.guarding",
                "        if refusal is None:\n            self._kept = doubt.seen",
                "        if doubt:\n            self._kept = doubt.seen",
            ),
        ),
    ),
    _misjudged(
        id="analysis-member-uncompared",
        sentence="the difference of two states overlooks who came to a group",
        edits=(
            Edit(
                f"{ANALYSIS}.touched",
                "set(_reassigned(old.memberships.forward, new.memberships.forward))",
                "set(_reassigned(old.memberships.forward, old.memberships.forward))",
            ),
        ),
    ),
    _misjudged(
        id="analysis-holders-direct",
        sentence="who can is asked of those only who are assigned the role of the claim itself",
        edits=(
            Edit(
                f"{ANALYSIS}.abilities",
                "    among = holders_of(state, {claim.role for claim in claims})\n",
                "    among = frozenset(\n"
                "        one for claim in claims for one in state.assignments.to(claim.role)\n"
                "    )\n",
            ),
        ),
    ),
    _misjudged(
        id="analysis-remedy-dropped",
        sentence="a claim of which it is not known whether it would help is left out",
        edits=(
            Edit(
                f"{ANALYSIS}.remedies",
                "            return Unclear(claim, fitting.why)\n",
                "            return None\n",
            ),
        ),
    ),
    _misjudged(
        id="analysis-revocation-forgotten",
        sentence="reachability does not know that roles may be revoked",
        edits=(
            Edit(
                f"{ANALYSIS}.reachability.masks",
                "tuple(dict.fromkeys((*assigning, *revoking)))",
                "tuple(dict.fromkeys(assigning))",
            ),
        ),
    ),
)
