"""Merchants' accounts, and who is calling."""

import base64
import binascii

from sandbox.accounts import Accounts
from sandbox.store import Change
from sandbox.stripe.refusals import unauthorized
from sandbox.stripe.settings import Account

PARTY = "stripe"
ACCOUNTS = Accounts(PARTY, Account)


def authenticate(change: Change, authorization: str) -> Account:
    """The account of a secret key, as `Bearer` or as the user of `Basic`."""
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError) as problem:
            raise unauthorized() from problem
    elif scheme.lower() != "bearer":
        raise unauthorized()
    account = ACCOUNTS.by_login(change, key)
    if account is None:
        raise unauthorized()
    return account
