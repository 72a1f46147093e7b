"""Who is told: the nearest office that has a contact in that tier, going up county, city, province."""

from collections.abc import Iterable, Sequence

from store.tables import Contact


def prefix_of(region_code: str | None) -> str:
    """Return the part of an adcode its lower divisions share: 370000 -> 37, 370100 -> 3701, 370112 -> itself."""
    code = region_code or ""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code


def recipients(contacts: Iterable[Contact], region_code: str | None, tier: int) -> list[Contact]:
    """Return the active contacts of a tier whose office is nearest to the region; empty when nobody answers for it.

    A contact without region answers for the whole province and is the last resort.
    """
    where = prefix_of(region_code)
    answering = [
        contact
        for contact in contacts
        if contact.active and contact.tier == tier and where.startswith(prefix_of(contact.region_code))
    ]
    nearest = max((len(prefix_of(contact.region_code)) for contact in answering), default=0)
    found = [contact for contact in answering if len(prefix_of(contact.region_code)) == nearest]
    return sorted(found, key=lambda contact: contact.id)


def tiers_from(contacts: Sequence[Contact], region_code: str | None, first: int, last: int) -> int | None:
    """Return the first tier from `first` on that has anybody to tell, None when there is none up to `last`."""
    return next((tier for tier in range(first, last + 1) if recipients(contacts, region_code, tier)), None)
