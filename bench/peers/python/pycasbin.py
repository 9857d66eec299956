"""Casbin by pycasbin: the FastEnforcer, which keeps policies by resource and action."""

import logging

from casbin import FastEnforcer
from casbin.model import FastModel

from bench.peers.python.line import Ready, Tables, serve

MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub)
"""
"""The FastEnforcer has compared resource and action already when it comes to the matcher."""


def load(tables: Tables) -> Ready:
    """Add policies and links of the role graph to the model."""
    logging.disable(logging.CRITICAL)
    model = FastModel([1, 2])
    model.load_model_from_text(MODEL)
    enforcer = FastEnforcer(model, cache_key_order=[1, 2])
    for role, action, resource, _ in tables["grants"]:
        model.add_policy("p", "p", [role, resource, action])
    manager = enforcer.get_role_manager()
    for held in (tables["principals"], tables["roles"]):
        for name, roles in held.items():
            for role in roles:
                manager.add_link(name, role)
    rows = [
        (principal, resource, action) for principal, action, resource, *_ in tables["questions"]
    ]
    return Ready(enforcer.enforce, rows)


if __name__ == "__main__":
    serve(load, "casbin")
