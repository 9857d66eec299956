"""What the help of the most used commands shows to begin with; a test reads every line.

By the place of the command, as the list of commands names it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "serve:serve": (
        "grantproof serve --demo",
        "grantproof serve --host 0.0.0.0 --workers 4",
        "GRANTPROOF_DATABASE_URL=postgresql://app@db/grantproof grantproof serve",
    ),
    "decision:evaluate": (
        "grantproof --org acme evaluate alice read docs --hour 10",
        "grantproof --org acme evaluate bob write docs --region us-east-1 -a amount=250",
    ),
    "decision:explain": ("grantproof --org acme explain bob write docs --region eu-west-1",),
    "question:who_can": ("grantproof --org acme who-can read docs",),
    "assignment:assign": (
        "grantproof --org acme assign alice editor",
        "grantproof --org acme assign alice editor --until 2027-01-01T00:00:00Z",
        "grantproof --org acme assign --group staff viewer",
    ),
    "role:create": ("grantproof --org acme role create manager --parent clerk",),
    "claim:create": (
        "grantproof --org acme claim create reading viewer read 'docs/**' --hours 9-17",
        "grantproof --org acme claim create paying clerk pay kind:bill --where 'context.sum lt 9'",
    ),
    "policy_check:check": ("grantproof policy check policy/",),
    "policy_test:run_tests": ("grantproof policy test policy/",),
    "policy_apply:apply": (
        "grantproof policy apply --dry-run policy/",
        "grantproof policy apply --create --yes policy/ --reason 'ticket 4711'",
    ),
    "key:create": (
        "grantproof key create --operator",
        "grantproof --org acme key create --principal shop --scope evaluate --expires-in 90d",
    ),
    "backup:back_up": ("grantproof db backup /backups/grantproof-2026-01-31.db",),
}


def epilog_of(function: Callable[..., Any]) -> str | None:
    """Return what the help of a command ends with, one line as it is typed for each example."""
    place = f"{function.__module__.rpartition('.')[2]}:{function.__name__}"
    lines = EXAMPLES.get(place)
    # The first character keeps the lines apart.
    return None if lines is None else "\n".join(["\b", "Examples:", *(f"  {one}" for one in lines)])
