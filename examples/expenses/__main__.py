"""`python -m examples.expenses`: the service and the application, until Ctrl-C."""

from examples.running import Example, main

EXPENSES = Example(
    "expenses",
    8002,
    {
        # To ask, and to count what was submitted.
        "GRANTPROOF_KEY": ("--org", "expenses", "key", "create", "--operator", "--scope=evaluate"),
        # Erin's own: what is changed with it is checked and recorded as hers.
        "GRANTPROOF_ERINS_KEY": (
            *("--org", "expenses", "key", "create", "--principal", "erin"),
            "--scope=administer",
        ),
    },
)

if __name__ == "__main__":
    main(EXPENSES)
