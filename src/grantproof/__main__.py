"""`python -m grantproof` is the command line, also where no script was installed."""

from grantproof.cli.main import main

if __name__ == "__main__":
    main()
