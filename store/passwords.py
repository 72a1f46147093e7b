"""Passwords: how they are kept, checked, and which are too weak. Argon2id, nothing in clear."""

import re
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

SHORTEST = 10
LONGEST = 128

_COMMON = (
    "password",
    "passw0rd",
    "admin",
    "zhian",
    "qwerty",
    "abc123",
    "letmein",
    "welcome",
    "iloveyou",
    "111111",
    "123456",
)
_CLASSES = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


def hash_password(password: str) -> str:
    """Return the argon2id hash to be stored, with its own random salt."""
    return _hasher().hash(password)


def verify_password(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Return whether the password is right, and a new hash where the stored one was made with weaker settings.

    With None for `stored` (no such account) it takes as long as for a wrong password and is never right.
    """
    if len(password) > LONGEST:
        return False, None
    right, renewed = _hasher().verify_and_update(password, stored or _hash_of_nothing())
    return (right, renewed) if stored else (False, None)


def weakness(password: str, username: str) -> str | None:
    """Return why a password is refused, as a Chinese sentence; None when it will do.

    At least ten characters of three kinds (等保 asks for complexity), no account name, nothing everybody tries first.
    """
    if len(password) < SHORTEST:
        return f"密码至少 {SHORTEST} 个字符"
    if len(password) > LONGEST:
        return f"密码至多 {LONGEST} 个字符"
    if sum(bool(re.search(kind, password)) for kind in _CLASSES) < 3:
        return "密码须含大写字母、小写字母、数字、符号中的三种"
    lowered = password.lower()
    if len(username) >= 3 and username.lower() in lowered:
        return "密码不能包含账号名"
    if any(word in lowered for word in _COMMON):
        return "密码含有常见字样，容易被猜到"
    if re.search(r"(.)\1{3}", password):
        return "密码不能有连续四个相同字符"
    return None


@cache
def _hash_of_nothing() -> str:
    return hash_password("no account has this name")
