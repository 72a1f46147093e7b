"""Opening the store for a command: migrate, or refuse with one clear line."""

import hashlib
import secrets
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from jobs.settings import Settings
from store.migrations import upgrade
from store.session import make_sessions, open_engine


def open_store(settings: Settings) -> sessionmaker[Session]:
    """Return the sessions of the store, brought to this code's schema."""
    engine = open_engine(settings.store_url)
    upgrade(engine)
    return make_sessions(engine)


def secret_key(settings: Settings) -> bytes:
    """Return the key for signing and keyed hashes: the configured one, else one kept in the data folder."""
    if settings.secret:
        return hashlib.sha256(settings.secret.encode()).digest()
    path: Path = settings.var / "secret.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()
