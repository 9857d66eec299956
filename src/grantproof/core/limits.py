"""Every bound of an organization and of a request, named once.

A bound is part of the semantics: a command that would pass one is refused, a request that passes
one is malformed. Tests probe each at one below, at, and one above.
"""

from typing import Final

# Text
ID_LENGTH_MAX: Final = 128
"""Characters of an id."""
ATTRIBUTE_NAME_LENGTH_MAX: Final = 64
"""Characters of the name of an attribute."""
STRING_LENGTH_MAX: Final = 1_024
"""Characters of a string that is the value of an attribute."""
TIME_ZONE_LENGTH_MAX: Final = 64
"""Characters of the name of a time zone."""

# Numbers: values are 64-bit signed integers, as every database and client can hold them.
INTEGER_MIN: Final = -(2**63)
"""The least value of an attribute or a number."""
INTEGER_MAX: Final = 2**63 - 1
"""The largest."""
INSTANT_MIN: Final = 0
"""The first instant, in epoch seconds."""
INSTANT_MAX: Final = 253_402_300_799
"""The last: 9999-12-31T23:59:59Z."""

# Constraints and attributes
CONSTRAINTS_PER_CLAIM_MAX: Final = 64
"""Constraints of a claim."""
REGIONS_PER_FENCE_MAX: Final = 1_000
"""Regions of a `geo_fence`."""
RADIUS_METRES_MAX: Final = 20_015_115
"""Metres of a `geo_radius`: half the way round the earth, nothing is farther."""
ATTRIBUTES_PER_ENTITY_MAX: Final = 256
"""Attributes of a principal or a resource, and of a request."""
STRINGS_PER_VALUE_MAX: Final = 1_000
"""Strings of an attribute whose value is a set of them."""

# An organization
PRINCIPALS_MAX: Final = 10_000_000
"""Principals of an organization."""
GROUPS_MAX: Final = 1_000_000
"""Groups of an organization."""
ROLES_MAX: Final = 100_000
"""Roles of an organization."""
KINDS_MAX: Final = 10_000
"""Kinds of resources of an organization."""
RESOURCES_MAX: Final = 10_000_000
"""Registered resources of an organization."""
CLAIMS_MAX: Final = 1_000_000
"""Claims of an organization."""
SOD_SETS_MAX: Final = 10_000
"""Separation-of-duty sets of an organization."""
GUARDRAILS_MAX: Final = 1_000
"""Guardrails of an organization."""
SELECTORS_PER_GUARDRAIL_MAX: Final = 100
"""Entries of a guardrail's `who`."""
CLAIMS_PER_ROLE_MAX: Final = 10_000
"""Claims of a role of its own."""
PARENTS_PER_ROLE_MAX: Final = 256
"""Parents of a role."""
CONTAINERS_PER_GROUP_MAX: Final = 256
"""Groups that contain a group directly."""
GROUPS_PER_PRINCIPAL_MAX: Final = 1_000
"""Groups that a principal is in directly."""
ROLES_PER_HOLDER_MAX: Final = 1_000
"""Roles that are assigned to a principal or a group directly."""
ROLES_PER_SOD_SET_MAX: Final = 1_000
"""Roles of a separation-of-duty set."""
ROLE_DEPTH_MAX: Final = 64
"""Steps from a role to the farthest one that it inherits from."""
GROUP_DEPTH_MAX: Final = 64
"""Steps from a group to the outermost one that it is in."""
RESOURCE_DEPTH_MAX: Final = 64
"""Steps from a resource to the outermost one that it is in."""

# One change, one request
COMMANDS_PER_CHANGE_SET_MAX: Final = 1_000_000
"""Commands of a change set."""
ACTIVE_ROLES_MAX: Final = 1_000
"""Roles that a request may choose."""
REFERENCES_SHOWN_MAX: Final = 100
"""References that a refused deletion lists; all are counted."""
ACTOR_LENGTH_MAX: Final = 256
"""Characters of who made a change."""
REQUEST_ID_LENGTH_MAX: Final = 128
"""Characters of an `X-Request-ID`; a longer one is replaced."""
REASON_LENGTH_MAX: Final = 1_024
"""Characters of the reason that is given for a change."""

# Sessions
SESSIONS_PER_PRINCIPAL_MAX: Final = 100
"""Sessions that a principal has at once."""
ROLES_PER_SESSION_MAX: Final = ACTIVE_ROLES_MAX
"""Roles of a session."""
SESSION_SECONDS_DEFAULT: Final = 12 * 3_600
"""Seconds that a session lasts when nothing is said."""
SESSION_SECONDS_MAX: Final = 30 * 24 * 3_600
"""Seconds that it lasts at the longest."""
SESSIONS_KEPT_MAX: Final = 100_000
"""Sessions that a process remembers."""
SESSION_STALENESS_SECONDS_MAX: Final = 5
"""So long after it was read a session that is kept in a process may be answered from."""
SESSION_ATTEMPTS_MAX: Final = 16
"""Attempts to open or change a session while others write."""
SESSIONS_PRUNED_MAX: Final = 10_000
"""Ended sessions that are removed in one go."""

# Serving
BATCH_ITEMS_MAX: Final = 10_000
"""Items of a batch."""
BODY_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes of a request's body, unless GRANTPROOF_BODY_BYTES_MAX says otherwise."""
PAGE_ITEMS_MAX: Final = 1_000
"""Entries of a page of a list."""
PAGE_ITEMS_DEFAULT: Final = 100
"""Entries of a page when nothing is said."""
EVENTS_PAGE_MAX: Final = 1_000
"""Events of a page."""
EVENTS_SEARCHED_MAX: Final = 10_000
"""Events that are looked through for one page, however few are found."""
SEARCHED_MAX: Final = 10_000
"""So many candidates are decided on for one page of a search, however few of them are found."""
SEARCH_SLICE_MAX: Final = 100
"""So many of them in one go, before other requests are answered."""
CANDIDATES_KEPT_MAX: Final = 1_000_000
"""So many candidates of the latest searches are kept, for their next pages."""
SEARCH_ATTEMPTS_MAX: Final = 8
"""Attempts at a page of a search while the organization changes."""
PAGE_TOKEN_LENGTH_MAX: Final = 1_024
"""Characters of what asks for the next page of a search."""
REACH_PEOPLE_MAX: Final = 1_000
"""People who make changes together, in a question of reachability."""
WAIT_SECONDS_MAX: Final = 60
"""Seconds that a request may wait for events."""
WAITERS_MAX: Final = 1_000
"""Requests that wait for events at once."""
REACH_SECONDS_MAX: Final = 1
"""Seconds that a question waits for a revision that it demands."""
CONFIRM_SECONDS_MAX: Final = 1
"""Seconds that it waits until what is known is confirmed."""
COMMIT_ATTEMPTS_MAX: Final = 16
"""Attempts at a change while others write."""
HEAD_BYTES_MAX: Final = 64 * 1024
"""Bytes of the request line and the headers."""
HEAD_SECONDS_MAX: Final = 10
"""Seconds that the headers may take."""
BODY_SECONDS_MAX: Final = 30
"""Seconds that the body may take after them."""
ADDRESSES_PACED_MAX: Final = 10_000
"""Addresses whose attempts to sign in are counted."""
CREDENTIALS_PACED_MAX: Final = 100_000
"""Credentials whose requests are counted, where their rate is limited."""

# Credentials
KEYS_MAX: Final = 100_000
"""API keys, revoked and expired ones included."""
KEY_LABEL_LENGTH_MAX: Final = 200
"""Characters of the label of a key."""
TOKEN_BYTES_MAX: Final = 8 * 1024
"""Bytes of a token."""

# Metering
CHARGE_ATTEMPTS_MAX: Final = 64
"""Attempts at a use while others count."""
COUNTERS_PRUNED_MAX: Final = 10_000
"""Counters that are removed in one go after their window."""
COUNTER_GRACE_SECONDS: Final = 3_600
"""So long after its window has ended a counter is kept, for clocks that are behind."""
