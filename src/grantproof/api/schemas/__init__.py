"""The shapes of answers that are not entities; entities have the one form of `policyfile`."""
