"""Grantproof: may this principal do this action on this resource, here and now? With proof.

Read the packages in this order: core (the rules), service (the use cases), adapters (the
technology), api and cli (the doors).
"""

__version__ = "0.1.0"
