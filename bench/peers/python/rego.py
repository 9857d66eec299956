"""Rego by regopy (rego-cpp): a compiled bundle; the input carries the roles of both sides.

The effective roles of the principal and the roles of the grants come with the question, both
looked up before. Kept as data instead, every query would copy all of it.
"""

from typing import Any

from regopy import Input, Interpreter

from bench.peers.python.line import Ready, Tables, effective_roles, serve

MODULE = """
package bench

default allow := false

allow if {
    some role in input.granting
    input.roles[role]
}
"""


def load(tables: Tables) -> Ready:
    """Compile the module to a bundle, and prepare the inputs."""
    interpreter = Interpreter()
    interpreter.add_module("bench.rego", MODULE)
    bundle = interpreter.build(None, ["bench/allow"])
    granting: dict[tuple[str, str], list[str]] = {}
    for role, action, resource, _ in tables["grants"]:
        granting.setdefault((action, resource), []).append(role)

    def ask(given: Any) -> object:
        interpreter.set_input(given)
        return interpreter.query_bundle_entrypoint(bundle, "bench/allow")

    rows = [
        (
            Input(
                {
                    "roles": dict.fromkeys(effective_roles(tables, principal), True),
                    "granting": granting.get((action, resource), []),
                }
            ),
        )
        for principal, action, resource, *_ in tables["questions"]
    ]
    return Ready(ask, rows, lambda output: output.results[0].expressions[0] is True)


if __name__ == "__main__":
    serve(load, "regopy")
