"""Uses that are not counted, counted twice, or allowed beyond a limit.

Those that need a race have a twin among the models, which TLC must refute; the same fault in the
code is shown by two real threads that consume.
"""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault, Model

STORE: Final = "grantproof.adapters.memory.store"
POINT: Final = "grantproof.service.consume"
METERING: Final = "grantproof.core.metering"

COMPARE: Final = "if any(before[counter] >= limit for counter, _, limit in charges):"
REFUSE: Final = f"            {COMPARE}\n                return Uncharged.FULL\n"
KEEP: Final = (
    "            charged = Charged(before)\n"
    "            if keeping is not None:\n"
    "                tenant.keep_answer(keeping.pledge, instant, keeping.answer(charged))\n"
)
WRITE: Final = (
    "            for counter, end, _ in charges:\n"
    "                counts[counter] = Count(before[counter] + 1, end, instant)\n"
)
BEGIN: Final = 'else to none. P-CONSUME."""\n'

_miscount = partial(Fault, kind="consume", property_id="P-CONSUME")

FAULTS: Final = (
    _miscount(
        id="read-then-write",
        sentence="counters are read in one transaction and written, one more, in the next",
        gate=Model("broken/ReadThenWrite"),
        edits=(
            Edit(STORE, REFUSE + KEEP + WRITE, f"{REFUSE}{KEEP}        with self._lock:\n{WRITE}"),
        ),
    ),
    _miscount(
        id="increment-unchecked",
        sentence="the increment does not compare counters with their limits",
        gate=Model("broken/IncrementUnchecked"),
        edits=(Edit(STORE, REFUSE, ""),),
    ),
    _miscount(
        id="one-counter-compared",
        sentence="only the first counter of a claim is compared with its limit",
        gate=Model("broken/OneCounterCompared"),
        edits=(Edit(STORE, COMPARE, COMPARE.replace("in charges)", "in charges[:1])")),),
    ),
    _miscount(
        id="charge-before-check",
        sentence="a use is counted first, then compared, and not taken back",
        gate=Model("broken/ChargeBeforeCheck"),
        edits=(Edit(STORE, REFUSE + KEEP + WRITE, WRITE + REFUSE + KEEP),),
    ),
    _miscount(
        id="two-transactions",
        sentence="a quota and a rate are charged in two transactions",
        gate=Model("broken/TwoTransactions"),
        edits=(
            Edit(
                STORE,
                BEGIN,
                f"{BEGIN}        if len(charges) > 1:\n"
                "            parts = [self.charge(organization, [one], revision=revision,"
                " instant=instant) for one in charges]\n"
                "            return next((one for one in parts if isinstance(one, Uncharged)),"
                " parts[0])\n",
            ),
        ),
    ),
    _miscount(
        id="revision-ignored",
        sentence="a charge does not compare the revision, so that a lowered limit is passed",
        gate=Model("broken/RevisionIgnored"),
        edits=(Edit(STORE, " or tenant.state.revision != revision:", ":"),),
    ),
    _miscount(
        id="lost-is-denied",
        sentence="who loses the last use of a claim is denied though another has room",
        gate=Model("broken/LostIsDenied"),
        edits=(
            Edit(
                POINT,
                "            if answer is Uncharged.STALE:\n",
                "            if answer is Uncharged.FULL:\n"
                "                return Consumed(self._decisions.absent(0), None)\n"
                "            if answer is Uncharged.STALE:\n",
            ),
        ),
    ),
    _miscount(
        id="limit-passed-by-one",
        sentence="a counter that stands at its limit is charged once more",
        gate=Executable(),
        edits=(Edit(STORE, COMPARE, COMPARE.replace(">=", ">")),),
    ),
    _miscount(
        id="other-revision-read",
        sentence="a use is denied by limits and counters that were never there together",
        gate=Executable(),
        edits=(
            Edit(
                POINT,
                "if reading is None or reading.revision != state.revision:",
                "if reading is None:",
            ),
        ),
    ),
    _miscount(
        id="rate-not-counted",
        sentence="the uses of a minute are never counted",
        gate=Executable(),
        edits=(
            Edit(
                METERING,
                '        case RateLimit():\n            return "minute"\n',
                "        case RateLimit():\n            return None\n",
            ),
        ),
    ),
    _miscount(
        id="last-claim-charged",
        sentence="of the claims that grant, the last one is charged",
        gate=Executable(),
        edits=(Edit(METERING, "return min(granting, key=", "return max(granting, key="),),
    ),
)
