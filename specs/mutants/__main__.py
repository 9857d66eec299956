"""`python -m specs.mutants`."""

from specs.mutants.run import main

if __name__ == "__main__":
    raise SystemExit(main())
