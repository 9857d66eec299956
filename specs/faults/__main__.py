"""`python -m specs.faults`."""

from specs.faults.run import main

if __name__ == "__main__":
    raise SystemExit(main())
