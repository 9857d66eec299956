"""The use cases: decide, administer, review. They speak to the outside world through ports only."""
