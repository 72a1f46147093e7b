"""统一社会信用代码, as the rest of this package knows it; the check itself loads nothing and stands in `nlp.uscc`."""

from nlp.uscc import is_uscc, normalise_uscc, uscc_check_digit

__all__ = ["is_uscc", "normalise_uscc", "uscc_check_digit"]
