"""`python -m specs.against REV`."""

from specs.against.run import main

if __name__ == "__main__":
    raise SystemExit(main())
