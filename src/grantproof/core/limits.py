"""Every bound of an organization and of a request, named once.

A bound is part of the semantics: a command that would pass one is refused, a request that passes
one is malformed. Tests probe each at one below, at, and one above.
"""

from typing import Final

# Text
ID_LENGTH_MAX: Final = 128
ATTRIBUTE_NAME_LENGTH_MAX: Final = 64
STRING_LENGTH_MAX: Final = 1_024
TIME_ZONE_LENGTH_MAX: Final = 64

# Numbers: values are 64-bit signed integers, as every database and client can hold them.
INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**63 - 1
INSTANT_MIN: Final = 0
INSTANT_MAX: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, in epoch seconds

# Constraints and attributes
CONSTRAINTS_PER_CLAIM_MAX: Final = 64
REGIONS_PER_FENCE_MAX: Final = 1_000
RADIUS_METRES_MAX: Final = 20_015_115  # half the way round the earth: nothing is farther
ATTRIBUTES_PER_ENTITY_MAX: Final = 256
STRINGS_PER_VALUE_MAX: Final = 1_000

# An organization
PRINCIPALS_MAX: Final = 10_000_000
GROUPS_MAX: Final = 1_000_000
ROLES_MAX: Final = 100_000
KINDS_MAX: Final = 10_000
RESOURCES_MAX: Final = 10_000_000
CLAIMS_MAX: Final = 1_000_000
SOD_SETS_MAX: Final = 10_000
GUARDRAILS_MAX: Final = 1_000
SELECTORS_PER_GUARDRAIL_MAX: Final = 100
CLAIMS_PER_ROLE_MAX: Final = 10_000
PARENTS_PER_ROLE_MAX: Final = 256
CONTAINERS_PER_GROUP_MAX: Final = 256
GROUPS_PER_PRINCIPAL_MAX: Final = 1_000
ROLES_PER_HOLDER_MAX: Final = 1_000
ROLES_PER_SOD_SET_MAX: Final = 1_000
ROLE_DEPTH_MAX: Final = 64
GROUP_DEPTH_MAX: Final = 64
RESOURCE_DEPTH_MAX: Final = 64

# One change, one request
COMMANDS_PER_CHANGE_SET_MAX: Final = 1_000_000
ACTIVE_ROLES_MAX: Final = 1_000
REFERENCES_SHOWN_MAX: Final = 100
ACTOR_LENGTH_MAX: Final = 256
REQUEST_ID_LENGTH_MAX: Final = 128
REASON_LENGTH_MAX: Final = 1_024

# Sessions
SESSIONS_PER_PRINCIPAL_MAX: Final = 100
ROLES_PER_SESSION_MAX: Final = ACTIVE_ROLES_MAX
SESSION_SECONDS_DEFAULT: Final = 12 * 3_600
SESSION_SECONDS_MAX: Final = 30 * 24 * 3_600
SESSIONS_KEPT_MAX: Final = 100_000
SESSION_STALENESS_SECONDS_MAX: Final = 5
"""So long after it was read a session that is kept in a process may be answered from."""
SESSION_ATTEMPTS_MAX: Final = 16
SESSIONS_PRUNED_MAX: Final = 10_000

# Serving
BATCH_ITEMS_MAX: Final = 10_000
BODY_BYTES_MAX: Final = 4 * 1024 * 1024
PAGE_ITEMS_MAX: Final = 1_000
PAGE_ITEMS_DEFAULT: Final = 100
EVENTS_PAGE_MAX: Final = 1_000
EVENTS_SEARCHED_MAX: Final = 10_000
SEARCHED_MAX: Final = 10_000
"""So many candidates are decided on for one page of a search, however few of them are found."""
SEARCH_SLICE_MAX: Final = 100
"""So many of them in one go, before other requests are answered."""
CANDIDATES_KEPT_MAX: Final = 1_000_000
"""So many candidates of the latest searches are kept, for their next pages."""
SEARCH_ATTEMPTS_MAX: Final = 8
PAGE_TOKEN_LENGTH_MAX: Final = 1_024
REACH_PEOPLE_MAX: Final = 1_000
WAIT_SECONDS_MAX: Final = 60
WAITERS_MAX: Final = 1_000
REACH_SECONDS_MAX: Final = 1
CONFIRM_SECONDS_MAX: Final = 1
"""So long a question waits for a revision that it demands, and until what is known is confirmed."""
COMMIT_ATTEMPTS_MAX: Final = 16
HEAD_BYTES_MAX: Final = 64 * 1024
HEAD_SECONDS_MAX: Final = 10
BODY_SECONDS_MAX: Final = 30
ADDRESSES_PACED_MAX: Final = 10_000
CREDENTIALS_PACED_MAX: Final = 100_000

# Credentials
KEYS_MAX: Final = 100_000
KEY_LABEL_LENGTH_MAX: Final = 200
TOKEN_BYTES_MAX: Final = 8 * 1024

# Metering
CHARGE_ATTEMPTS_MAX: Final = 64
COUNTERS_PRUNED_MAX: Final = 10_000
COUNTER_GRACE_SECONDS: Final = 3_600
"""So long after its window has ended a counter is kept, for clocks that are behind."""
