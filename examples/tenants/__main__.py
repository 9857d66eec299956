"""`python -m examples.tenants`: the service and the application, until Ctrl-C."""

from examples.running import Example, main

TENANTS = Example(
    "tenants",
    8003,
    {
        # To make organizations and their keys. It has no part in answering anybody.
        "GRANTPROOF_OPERATORS_KEY": (
            *("key", "create", "--operator", "--scope=operate", "--scope=administer"),
        )
    },
    # Organizations are made at sign-up.
    policy=None,
)

if __name__ == "__main__":
    main(TENANTS)
