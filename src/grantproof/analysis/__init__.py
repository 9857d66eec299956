"""Questions about a given policy, answered for every context: by reduction first, then by Z3."""
