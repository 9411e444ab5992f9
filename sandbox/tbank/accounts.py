"""Terminals: who is calling, proved by a token over the body itself."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.accounts import Accounts
from sandbox.store import Change
from sandbox.tbank.refusals import bad_token, missing, no_terminal
from sandbox.tbank.settings import Account

PARTY = "tbank"
ACCOUNTS = Accounts(PARTY, Account)


def token(fields: Mapping[str, Any], password: str) -> str:
    """The values of the root's scalars and the password, sorted by name, hashed."""
    pairs = [("Password", password)]
    for name, value in fields.items():
        match value:
            case None | dict() | list():
                continue
            case bool():
                pairs.append((name, "true" if value else "false"))
            case _ if name != "Token":
                pairs.append((name, str(value)))
    values = "".join(value for _, value in sorted(pairs))
    return hashlib.sha256(values.encode()).hexdigest()


def authenticate(change: Change, body: Mapping[str, Any]) -> Account:
    for name in ("TerminalKey", "Token"):
        if not isinstance(body.get(name), str):
            raise missing(name)
    account = ACCOUNTS.by_login(change, body["TerminalKey"])
    if account is None:
        raise no_terminal()
    if not secrets.compare_digest(token(body, account.password).encode(), body["Token"].encode()):
        raise bad_token()
    return account
