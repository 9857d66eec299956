"""`policy apply`: make an organization what its files say, in one change, after showing the plan.

The change is made only of the revision that the plan was made from: what somebody else changed
meanwhile is never undone unseen.
"""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.exits import ExitCode, Stop, absent, usage
from grantproof.cli.operator import Operator
from grantproof.cli.options import Yes
from grantproof.cli.output import tell, tell_json
from grantproof.cli.policy_files import read_policy_of
from grantproof.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grantproof.analysis.findings import Difference as Effect
    from grantproof.core.commands.language import SingleCommand
    from grantproof.core.organization import Organization
    from grantproof.policyfile.differing import Difference
    from grantproof.policyfile.organization_document import OrganizationDocument

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        help="Files of the policy, or folders of them; - is the standard input.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")]
Create = Annotated[
    bool, typer.Option("--create", help="Make the organization if it does not exist.")
]


def apply(
    operator: Operator,
    paths: Paths,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    create: Create = False,
) -> None:
    """Make an organization what its files say: what they do not hold is removed from it.

    It is the organization that the files name, or the one that --org gives. The plan is shown, and
    made as one change if it is agreed to: all of it, or nothing.
    """
    from grantproof.adapters.clock import SystemClock
    from grantproof.cli.difference import compared
    from grantproof.policyfile.differing import difference
    from grantproof.policyfile.reconciling import commands_for

    check_asking(operator, dry_run=dry_run, yes=yes)
    with progress() as bar:
        wanted = read_policy_of(paths, bar, name=operator.named_organization)
    standing = _standing(operator, wanted, create=create, dry_run=dry_run)
    state = wanted.empty() if standing is None else standing
    _check_possible(state, wanted)
    found = difference(state, wanted)
    commands = commands_for(state, found)
    effect = compared(state, _tried(state, commands), now=SystemClock().now())
    plan = Plan(state, found, effect)
    if not operator.json and (found or standing is None):
        _tell_head(state, found, exists=standing is not None)
        plan.show()
    if dry_run or (not found and standing is not None):
        _tell_unchanged(operator, plan)
        return
    if not yes and not typer.confirm("apply this plan?", err=True):
        raise Stop(ExitCode.NO, "nothing was changed")
    if standing is None:
        _found(operator, wanted)
    revision = operator.change(state.id, *commands, at=state.revision) if commands else 0
    _tell_applied(operator, plan, revision=revision)


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
        more: "Mapping[str, object] | None" = None,
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


def _standing(
    operator: Operator, wanted: "OrganizationDocument", *, create: bool, dry_run: bool
) -> "Organization | None":
    """Return the organization as it is, nothing if it is to be made; raises `Stop`."""
    from grantproof.service.ports import StoreMissing

    try:
        standing = operator.find(wanted.id, create=create and not dry_run)
    except StoreMissing:
        if not create:
            raise
        standing = None
    if standing is not None:
        return standing
    if not create:
        missing = absent("organization", wanted.id)
        raise Stop(missing.code, f"{missing.lines[0]}: make it with --create")
    return None


def _check_possible(state: "Organization", wanted: "OrganizationDocument") -> None:
    from grantproof.policyfile.reconciling import unchangeable

    fixed = unchangeable(state, wanted)
    if fixed is not None:
        raise Stop(ExitCode.NO, fixed.message)


def _tried(state: "Organization", commands: "tuple[SingleCommand, ...]") -> "Organization":
    """Return the state that the commands lead to; raises `Stop` if they would be refused.

    So nobody is asked to agree to what cannot be, and no organization is made for nothing.
    """
    from grantproof.adapters.clock import SystemClock
    from grantproof.cli.witness import guard_refused, refused
    from grantproof.core import commands as core
    from grantproof.core.commands.language import ChangeSet
    from grantproof.policyfile.witnesses import single
    from grantproof.service.guarding import Guard

    if len(commands) == 0:
        return state
    change = ChangeSet(commands)
    outcome = core.apply(state, change, actor="plan", instant=SystemClock().now())
    if isinstance(outcome, core.Rejected):
        raise refused(single(outcome.refusal))
    guarded = Guard().refusal(state, outcome)
    if guarded is not None:
        raise guard_refused(guarded)
    return outcome.state


def _found(operator: Operator, wanted: "OrganizationDocument") -> None:
    if not operator.found(wanted.id, time_zone=wanted.time_zone):
        line = f"organization `{wanted.id}` exists, or existed: an id is never used again"
        raise Stop(ExitCode.NO, line)


def _tell_head(state: "Organization", found: "Difference", *, exists: bool) -> None:
    from grantproof.cli.plan import summary

    place = f"revision {state.revision}" if exists else "to be made"
    tell(f"organization `{state.id}`, {place}: {summary(found)}")


def _tell_unchanged(operator: Operator, plan: Plan) -> None:
    if operator.json:
        plan.tell("planned" if plan.changes else "unchanged")
    elif plan.changes:
        tell("nothing was changed")
    else:
        tell(f"organization `{plan.state.id}`, revision {plan.state.revision}: nothing to do")


def _tell_applied(operator: Operator, plan: Plan, *, revision: int) -> None:
    if operator.json:
        plan.tell("accepted", revision=revision)
    else:
        tell(f"applied ({plan.state.id}, revision {revision})")
