"""`python -m examples.documents`: the service and the application, until Ctrl-C."""

from examples.running import Example, main

DOCUMENTS = Example(
    "documents",
    8001,
    {
        # The application asks, and registers documents: as `documents-app`, which may do no more.
        "GRANTPROOF_KEY": (
            *("--org", "documents", "key", "create", "--principal", "documents-app"),
            *("--scope", "evaluate", "--scope", "administer"),
        )
    },
)

if __name__ == "__main__":
    main(DOCUMENTS)
