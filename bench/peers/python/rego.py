"""Rego by regopy (rego-cpp): a compiled bundle; the input carries both sides' roles.

The roles of the principal and those granted on the resource, closed along the role graph before,
come with the question. Kept as data instead, every query would copy all of it.
"""

from typing import Any

from regopy import Input, Interpreter

from bench.peers.python.line import Ready, Tables, granting_roles, serve

MODULE = """
package bench

default allow := false

allow if {
    some role in input.roles
    input.granting[role]
}
"""


def load(tables: Tables) -> Ready:
    """Compile the module to a bundle, and prepare the inputs."""
    interpreter = Interpreter()
    interpreter.add_module("bench.rego", MODULE)
    bundle = interpreter.build(None, ["bench/allow"])
    granting = {
        target: dict.fromkeys(roles, True) for target, roles in granting_roles(tables).items()
    }

    def ask(given: Any) -> object:
        interpreter.set_input(given)
        return interpreter.query_bundle_entrypoint(bundle, "bench/allow")

    rows = [
        (
            Input(
                {
                    "roles": tables["principals"][principal],
                    "granting": granting.get((action, resource), {}),
                }
            ),
        )
        for principal, action, resource, *_ in tables["questions"]
    ]
    return Ready(ask, rows, lambda output: output.results[0].expressions[0] is True)


if __name__ == "__main__":
    serve(load, "regopy")
