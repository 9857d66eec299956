"""Commands that are shown before they are made: the plan, whoever is asked, one change.

As `policy apply` does it: the change is made only of the revision that was shown.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from grantproof.cli.exits import ExitCode, Stop, usage
from grantproof.cli.operator import Operator
from grantproof.cli.options import DryRun, Yes
from grantproof.cli.output import tell, tell_json

if TYPE_CHECKING:
    from grantproof.analysis.findings import Difference as Effect
    from grantproof.core.commands.language import SingleCommand
    from grantproof.core.organization import Organization
    from grantproof.policyfile.differing import Difference


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether the plan is agreed to beforehand, or is only to be seen."""

    dry_run: DryRun = False
    yes: Yes = False


def carry_out(
    operator: Operator,
    commands: "Sequence[SingleCommand]",
    consent: Consent,
    *,
    of: "Organization",
    done: str,
    more: Mapping[str, object] | None = None,
) -> None:
    """Show what the commands as one do to the state, and make that change if it is agreed to.

    Raises `Stop` when it would be refused, before anybody is asked. `more` is told to programs.
    """
    check_asking(operator, dry_run=consent.dry_run, yes=consent.yes)
    plan = _plan(operator, commands, of)
    if not operator.json and plan.changes:
        from grantproof.cli.plan import summary

        tell(f"organization `{of.id}`, revision {of.revision}: {summary(plan.changes)}")
        plan.show()
    if consent.dry_run or not plan.changes:
        tell_unchanged(operator, plan, more)
        return
    if not consent.yes and not typer.confirm("make this change?", err=True):
        raise Stop(ExitCode.NO, "nothing was changed")
    revision = operator.change(of.id, *commands, at=of.revision)
    if operator.json:
        plan.tell("accepted", revision=revision, more=more)
    else:
        tell(f"{done} ({of.id}, revision {revision})")


@dataclass(frozen=True, slots=True)
class Plan:
    """What changes of a state, and what that means: who gains and who loses what."""

    state: "Organization"
    changes: "Difference"
    effect: "Effect"

    def show(self) -> None:
        """Print it for whoever is to agree."""
        from grantproof.cli.difference import tell_effect
        from grantproof.cli.plan import tell_plan

        tell_plan(self.changes)
        tell_effect(self.effect)

    def tell(
        self,
        outcome: str,
        *,
        revision: int | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        """Print it for programs, with what became of it, and `more` that is to be told."""
        from grantproof.service.difference_documents import difference_document
        from grantproof.service.plan_documents import plan_document

        tell_json(
            {
                "outcome": outcome,
                "organization": self.state.id,
                "revision": self.state.revision if revision is None else revision,
                "plan": plan_document(self.changes),
                "effect": difference_document(self.effect, everything=False),
                **(more or {}),
            }
        )


def check_asking(operator: Operator, *, dry_run: bool, yes: bool) -> None:
    """Raise `Stop` where a plan would have to be agreed to, and nobody can be asked."""
    if not (dry_run or yes) and (operator.json or not sys.stdin.isatty()):
        raise usage("nobody can be asked to agree to the plan: give --yes, or --dry-run to see it")


def tell_unchanged(
    operator: Operator, plan: Plan, more: Mapping[str, object] | None = None
) -> None:
    """Print that the plan was not made: it was only to be seen, or there is nothing to do."""
    if operator.json:
        plan.tell("planned" if plan.changes else "unchanged", more=more)
    elif plan.changes:
        tell("nothing was changed")
    else:
        tell(f"organization `{plan.state.id}`, revision {plan.state.revision}: nothing to do")


def _plan(operator: Operator, commands: "Sequence[SingleCommand]", of: "Organization") -> Plan:
    from grantproof.cli.difference import compared
    from grantproof.core.model import Delta
    from grantproof.policyfile.differing import changes_of

    delta, after = Delta(), of
    if commands:
        accepted = operator.rehearse(of.id, *commands, at=of.revision)
        delta, after = accepted.event.delta, accepted.state
    now = operator.instant()
    return Plan(of, changes_of(delta), compared(of, after, now=now))
