"""统一社会信用代码 (GB 32100-2015): checked, never corrected."""

import unicodedata
from operator import mul

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_VALUE = {char: value for value, char in enumerate(_ALPHABET)}


def uscc_check_digit(first_17: str) -> str:
    """The 18th character for the first 17; raises KeyError for a character outside the alphabet."""
    total = sum(map(mul, _WEIGHTS, map(_VALUE.__getitem__, first_17)))
    return _ALPHABET[(31 - total % 31) % 31]


def normalise_uscc(code: str) -> str:
    """Width, case and spaces put right; no character is replaced by another."""
    return "".join(unicodedata.normalize("NFKC", code).upper().split())


def is_uscc(code: str) -> bool:
    """True for 18 characters of the alphabet whose check character fits."""
    return len(code) == 18 and _VALUE.keys() >= set(code) and uscc_check_digit(code[:17]) == code[17]
