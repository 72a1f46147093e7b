"""Names of enterprises -> which registered enterprise is meant: link, none or ambiguous, with reasons.

Pure: a `Register` is built from firms and regions, and answers queries and finds names in text.
"""

from nlp.enterprises.codes import is_uscc, normalise_uscc
from nlp.enterprises.names import NameParser, name_key
from nlp.enterprises.register import Register
from nlp.enterprises.types import Candidate, Decision, Firm, NameParts, NameSpan, Query, Resolution

__all__ = [
    "Candidate",
    "Decision",
    "Firm",
    "NameParser",
    "NameParts",
    "NameSpan",
    "Query",
    "Register",
    "Resolution",
    "is_uscc",
    "name_key",
    "normalise_uscc",
]
