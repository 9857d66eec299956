"""A role's row says when the role last changed, its parents included: it is its `ETag`.

Until here the row told of the role alone. What it must tell now is found in the events.
"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BATCH_ROWS = 1_000
EVENTS = sa.text(
    "SELECT organization_id, revision, delta FROM event WHERE kind = 'change'"
    " AND (delta LIKE :role OR delta LIKE :edge) ORDER BY organization_id, revision"
).bindparams(role='%"type":"Role"%', edge='%"type":"Inheritance"%')
WRITE = sa.text(
    "UPDATE role SET revision = :changed_at WHERE organization_id = :organization AND id = :name"
)

Changes = dict[tuple[str, str], int]
"""By organization and role, the revision that last changed it."""


def upgrade() -> None:
    """Let edges that came and went count."""
    write(changes({"Role", "Inheritance"}))


def downgrade() -> None:
    """Let the role alone count."""
    write(changes({"Role"}))


def changes(counting: set[str]) -> Changes:
    """Return when each role that there is last changed, by facts of the types that count."""
    found: Changes = {}
    rows = op.get_bind().execute(EVENTS, execution_options={"yield_per": BATCH_ROWS})
    for organization, changed_at, text in rows:
        delta = json.loads(text)
        for part in ("removed", "added"):
            for kind, role in roles_in(delta[part]):
                if kind in counting:
                    found[organization, role] = changed_at
                if kind == "Role" and part == "removed":
                    found.pop((organization, role), None)
    return found


def roles_in(facts: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the type of each fact that is about a role, and the role; edges before their roles."""
    told = {"Role": "id", "Inheritance": "role"}
    about = [(fact["type"], fact[told[fact["type"]]]) for fact in facts if fact["type"] in told]
    yield from sorted(about)


def write(found: Changes) -> None:
    """Write what was found into the rows; roles that are no more have none."""
    values = [
        {"organization": organization, "name": name, "changed_at": changed_at}
        for (organization, name), changed_at in found.items()
    ]
    if values:
        op.get_bind().execute(WRITE, values)
