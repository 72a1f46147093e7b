"""Unified social credit codes (GB 32100-2015) for invented firms; the adcode inside is 99xxxx, so none exists."""

import random

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def credit_code(county_code: str, individual: bool, rng: random.Random) -> str:
    """Return a code whose two check characters are right: 91 for companies, 92 for individual businesses."""
    body = "MA" + "".join(rng.choices(_ALPHABET, k=6))
    total = sum(weight * _org_value(char) for weight, char in zip(_ORG_WEIGHTS, body, strict=True))
    check = 11 - total % 11
    organisation = body + ("X" if check == 10 else "0" if check == 11 else str(check))
    head = f"9{'2' if individual else '1'}{county_code}{organisation}"
    index = (31 - sum(w * _ALPHABET.index(c) for w, c in zip(_WEIGHTS, head, strict=True)) % 31) % 31
    return head + _ALPHABET[index]


def _org_value(char: str) -> int:
    return int(char) if char.isdigit() else ord(char) - ord("A") + 10
