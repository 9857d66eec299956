"""What has become of the decision between two revisions: proved the same, or shown where not.

`reading` says which functions read which and what each says, `proving` what is the same of those
that changed, `asking` lets both revisions answer, and `run` tells what came of it.
"""
