"""Accounts: who is calling by HTTP Basic, and how a callback is signed."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

from sandbox.accounts import Accounts, basic
from sandbox.store import Change
from sandbox.twilio.refusals import ApiError
from sandbox.twilio.settings import Account

PARTY = "twilio"
ACCOUNTS = Accounts(PARTY, Account)


def authenticate(look: Change, authorization: str, account_id: str) -> Account:
    """The account that the path names, opened by its own token or by one of its API keys."""
    scheme, _, packed = authorization.partition(" ")
    said = basic(packed) if scheme.lower() == "basic" else None
    account = ACCOUNTS.by_login(look, account_id)
    if said is None or account is None:
        raise ApiError(20003)
    user, password = said
    true = account.auth_token if user == account_id else account.api_keys.get(user)
    if true is None or not secrets.compare_digest(true.encode(), password.encode()):
        raise ApiError(20003)
    return account


def signature(secret: str, url: str, pairs: Iterable[tuple[str, str]], digest: str = "sha1") -> str:
    """Over the URL as it was configured, and the parameters, sorted, each once."""
    message = url + "".join(name + value for name, value in sorted(set(pairs)))
    made = hmac.new(secret.encode(), message.encode(), getattr(hashlib, digest)).digest()
    return base64.b64encode(made).decode()
