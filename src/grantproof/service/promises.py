"""What is promised of the service, property by property, in words for whoever reads a page.

`docs/properties.md` has the exact statements under the same ids, and how each is held.
"""

from collections.abc import Mapping
from typing import Final

PROMISES: Final[Mapping[str, str]] = {
    "P-SOUND": "whatever is allowed, the rules grant",
    "P-COMPLETE": "whatever the rules grant is allowed",
    "P-DENY-DEFAULT": "what is unknown, suspended or without a role is denied",
    "P-CLOSURE": "inheritance reaches exactly the ancestors of a role",
    "P-DAG": "roles, groups and resources never contain themselves",
    "P-SOD-SYM": "separation of duty does not depend on any order",
    "P-SOD-SAFE": "no accepted change ever breaks separation of duty",
    "P-SOD-EXACT": "separation of duty refuses a change only if it would be broken",
    "P-DSD": "nobody acts in roles that are to be kept apart in one session",
    "P-REF": "nothing ever refers to what does not exist",
    "P-INDUCT": "every accepted change keeps every rule of a valid organization",
    "P-REJECT": "a change is refused on its declared grounds only, and then changes nothing",
    "P-MONO-CLAIM": "more claims never take access away",
    "P-MONO-CONSTRAINT": "more constraints never give access",
    "P-WINDOW": "a time window holds from its start until before its end",
    "P-GEO": "a fence holds in its regions and nowhere else",
    "P-RADIUS": "a radius holds up to its distance and no further",
    "P-QUOTA-MONO": "more usage, or a lower limit, never helps",
    "P-RATE-MONO": "a higher rate, or a lower limit, never helps",
    "P-ATTR": "a missing or ill-typed attribute never fulfils a condition",
    "P-CERT": "evidence that checks out was granted",
    "P-CAS": "administrators who race never spoil an organization",
    "P-LIVE": "every change that is submitted is decided in the end",
    "P-CONSUME": "usage never exceeds its limit, however many race",
    "P-FRESH": "who asks for a revision is never answered from an older one",
    "P-TENANT": "no answer depends on another organization",
    "P-INDEX": "the fast decision is the decision of the rules",
    "P-ESCALATE": "nobody gives what they may not give",
    "P-ANALYSIS": "answers about a policy are what trying everything finds",
    "P-AUDIT": "tampering with the history is found, and where",
    "P-REPLAY": "replaying the history gives what is stored",
}
"""In the order of the documentation."""
