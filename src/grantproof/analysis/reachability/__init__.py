"""Administrative reachability: what some people can bring about by changes that they may make.

`rules` asks it of explicit rules (ARBAC97, `.arbac` files), `collusion` of an organization.
"""
