"""Merchants' accounts, and who is calling."""

from sandbox.accounts import Accounts, basic
from sandbox.store import Change
from sandbox.stripe.refusals import unauthorized
from sandbox.stripe.settings import Account

PARTY = "stripe"
ACCOUNTS = Accounts(PARTY, Account)


def authenticate(change: Change, authorization: str) -> Account:
    """The account of a secret key, as `Bearer` or as the user of `Basic`."""
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() == "basic":
        said = basic(key)
        if said is None:
            raise unauthorized()
        key = said[0]
    elif scheme.lower() != "bearer":
        raise unauthorized()
    account = ACCOUNTS.by_login(change, key)
    if account is None:
        raise unauthorized()
    return account
