"""Merchants' accounts: who is calling, and what refunds are paid from."""

import base64
import binascii
import secrets

from sandbox.accounts import Accounts
from sandbox.razorpay.refusals import ApiError, unauthorized
from sandbox.razorpay.settings import Account
from sandbox.store import Change

PARTY = "razorpay"
ACCOUNTS = Accounts(PARTY, Account)


def authenticate(change: Change, authorization: str) -> Account:
    """The account of an `Authorization` header; the scheme word must be exactly `Basic`."""
    scheme, _, packed = authorization.partition(" ")
    if scheme != "Basic":
        raise unauthorized()
    try:
        key_id, _, key_secret = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise unauthorized() from problem
    account = ACCOUNTS.by_login(change, key_id)
    if account is None:
        raise unauthorized()
    if not secrets.compare_digest(account.key_secret.encode(), key_secret.encode()):
        raise unauthorized()
    return account


def debit(change: Change, account_id: str, amount: int) -> None:
    """Pay a refund out of the balance, or refuse it."""
    if not ACCOUNTS.debit(change, account_id, amount):
        raise ApiError(
            "Your account does not have enough balance to carry out the refund operation. You can"
            " add funds to your account from your Razorpay dashboard or capture new payments."
        )
