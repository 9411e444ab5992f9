"""One-time codes that a customer reads out: only a peppered hash is stored.

With the hash alone, six digits can be tried out at once, so the pepper must not be in the database;
and the caller must count wrong answers."""

import hmac
import secrets

from coinslot.kit.secrets import hmac_hex


def one_time_code(digits: int = 6) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(digits))


def code_hash(pepper: bytes, subject: str, code: str) -> str:
    """What to store. `subject` says what the code opens, so that it opens nothing else."""
    return hmac_hex(pepper, f"{len(subject)}|{subject}|{code}".encode())


def code_matches(pepper: bytes, subject: str, code: str, stored: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(code_hash(pepper, subject, code), stored)
