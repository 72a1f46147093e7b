"""Names of enterprises -> which registered enterprise is meant: link, none or ambiguous, with reasons.

Pure: a `Register` is built from firms and regions, and answers queries and finds names in text.
"""

from nlp.enterprises.types import Candidate, Decision, Firm, NameParts, NameSpan, Query, Resolution

__all__ = ["Candidate", "Decision", "Firm", "NameParts", "NameSpan", "Query", "Resolution"]
