"""The notices of a store that grows: some institutions have many of them, and serial numbers come in no order.

A position decides the institution and the serial number, here and in the scripts of wrk.
"""

from random import Random

from bench.loads import NEW, NEW_IN_ROUND, Inputs
from shared.domain.identifiers import InstitutionCode
from shared.domain.notice import Address
from tests.support import a_number

INSTITUTIONS = tuple(f"{Random(number).randrange(10**11):011}" for number in range(60))
"""The first has an eighth of all notices, the last less than a hundredth."""
SERIALS, STEP = 1_000_000_007, 618_033_989
"""A prime number, and a step: position by position, the serials jump and none comes twice."""
SLOTS, SLOT_STEP = 1000, 7919
NEW_POSITION, NEW_POSITIONS = 2_000_000, 100_000
"""The first position that is published in the first round, and how many each round has."""
LUA = f"""
local institutions = {{{", ".join(f'"{code}"' for code in INSTITUTIONS)}}}

local function address(position)
  local slot = position * {SLOT_STEP} % {SLOTS}
  local institution = institutions[math.floor(slot * slot * #institutions / {SLOTS**2}) + 1]
  local base = 3470000000000000 + position * {STEP} % {SERIALS}
  return "/api/v1/creditor-institutions/" .. institution .. "/notices/" .. string.format("%.0f%02d", base, base % 93)
end
"""
"""The same in the language of wrk. Its numbers are exact up to 16 digits."""


def address_of(position: int) -> Address:
    """Return the address of the notice at a position."""
    slot = position * SLOT_STEP % SLOTS
    institution = INSTITUTIONS[slot * slot * len(INSTITUTIONS) // SLOTS**2]
    return Address(InstitutionCode(institution), a_number(position * STEP % SERIALS))


def first_new(inputs: Inputs) -> int:
    """Return the first position that a round publishes."""
    return NEW_POSITION + (inputs.first - NEW) // NEW_IN_ROUND * NEW_POSITIONS
