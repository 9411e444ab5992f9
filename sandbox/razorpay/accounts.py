"""Merchants' accounts: who is calling, and what refunds are paid from."""

import secrets

from sandbox.accounts import Accounts, basic
from sandbox.razorpay.refusals import ApiError, unauthorized
from sandbox.razorpay.settings import Account
from sandbox.store import Change

PARTY = "razorpay"
ACCOUNTS = Accounts(PARTY, Account)


def authenticate(change: Change, authorization: str) -> Account:
    """The account of an `Authorization` header; the scheme word must be exactly `Basic`."""
    scheme, _, packed = authorization.partition(" ")
    said = basic(packed) if scheme == "Basic" else None
    account = ACCOUNTS.by_login(change, said[0]) if said else None
    if said is None or account is None:
        raise unauthorized()
    known = (account.key_secret, *account.former_secrets)
    if not any(secrets.compare_digest(one.encode(), said[1].encode()) for one in known):
        raise unauthorized()
    return account


def debit(change: Change, account_id: str, amount: int) -> None:
    """Pay a refund out of the balance, or refuse it."""
    if not ACCOUNTS.debit(change, account_id, amount):
        raise ApiError(
            "Your account does not have enough balance to carry out the refund operation. You can"
            " add funds to your account from your Razorpay dashboard or capture new payments."
        )
