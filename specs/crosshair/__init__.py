"""What CrossHair confirms of the core's scalar contracts: symbolic execution of the real bytecode.

It confirms scalars; sets and mappings are the work of the proofs and of the property tests. Its
exit code does not say that anything was confirmed, so the verdicts themselves are read.
"""
