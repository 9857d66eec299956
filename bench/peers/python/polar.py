"""Oso: one rule that joins the roles of the principal with those granted by the resource.

Grants are a method of the resource's class, closed along the role graph before: one look-up a
role, whichever size. Facts as rules, the other way, are searched one by one.
"""

from oso import Oso

from bench.peers.python.line import Ready, Tables, granting_roles, serve

RULE = """
allow(principal: User, action: String, resource: Document) if
    role in principal.roles and resource.granted(action, role);
"""


class User:
    """A principal and its roles."""

    def __init__(self, roles: list[str]) -> None:
        self.roles = roles


class Document:
    """A resource, and what is granted on it."""

    def __init__(self) -> None:
        self.by_action: dict[str, frozenset[str]] = {}

    def granted(self, action: str, role: str) -> bool:
        """Return whether the role is granted the action."""
        return role in self.by_action.get(action, ())


def load(tables: Tables) -> Ready:
    """Make an object of every principal and resource, and load the rule."""
    engine = Oso()
    engine.register_class(User)
    engine.register_class(Document)
    engine.load_str(RULE)
    users = {name: User(roles) for name, roles in tables["principals"].items()}
    documents = {name: Document() for name in tables["resources"]}
    for (action, resource), roles in granting_roles(tables).items():
        documents[resource].by_action[action] = frozenset(roles)
    rows = [
        (users[principal], action, documents[resource])
        for principal, action, resource, *_ in tables["questions"]
    ]
    return Ready(engine.is_allowed, rows)


if __name__ == "__main__":
    serve(load, "oso")
