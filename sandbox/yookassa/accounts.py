"""Shops: who is calling."""

import secrets

from sandbox.accounts import Accounts, basic
from sandbox.store import Change
from sandbox.yookassa.refusals import unauthorized
from sandbox.yookassa.settings import Account

PARTY = "yookassa"
ACCOUNTS = Accounts(PARTY, Account)


def authenticate(change: Change, authorization: str) -> Account:
    """The shop of HTTP Basic: its id is the user, its secret key the password."""
    scheme, _, packed = authorization.partition(" ")
    said = basic(packed) if scheme.lower() == "basic" else None
    account = ACCOUNTS.by_login(change, said[0]) if said else None
    if said is None or account is None:
        raise unauthorized()
    if not secrets.compare_digest(account.secret_key.encode(), said[1].encode()):
        raise unauthorized()
    return account
