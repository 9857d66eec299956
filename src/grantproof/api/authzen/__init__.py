"""OpenID AuthZEN Authorization API 1.0: evaluation, evaluations, the three searches, metadata.

Another language for the same decisions. https://openid.net/specs/authorization-api-1_0.html
"""
