"""One module a stage: `run(emit, jobs)` tells every row and returns the numbers to be pinned."""
