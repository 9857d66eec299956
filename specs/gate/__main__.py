"""`python -m specs.gate`."""

from specs.gate.main import main

if __name__ == "__main__":
    raise SystemExit(main())
