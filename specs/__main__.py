"""`python -m specs`."""

from specs.run import main

if __name__ == "__main__":
    raise SystemExit(main())
