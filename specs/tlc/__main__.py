"""`python -m specs.tlc`."""

from specs.tlc.check import main

raise SystemExit(main())
