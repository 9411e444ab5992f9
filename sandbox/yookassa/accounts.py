"""Shops: who is calling."""

import base64
import binascii
import secrets

from sandbox.accounts import Accounts
from sandbox.store import Change
from sandbox.yookassa.refusals import unauthorized
from sandbox.yookassa.settings import Account

PARTY = "yookassa"
ACCOUNTS = Accounts(PARTY, Account)


def authenticate(change: Change, authorization: str) -> Account:
    """The shop of HTTP Basic: its id is the user, its secret key the password."""
    scheme, _, packed = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise unauthorized()
    try:
        shop_id, _, key = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise unauthorized() from problem
    account = ACCOUNTS.by_login(change, shop_id)
    if account is None or not secrets.compare_digest(account.secret_key.encode(), key.encode()):
        raise unauthorized()
    return account
