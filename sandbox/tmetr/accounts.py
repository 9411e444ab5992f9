"""Who is calling: a Bearer token is a merchant's account."""

from sandbox.accounts import Accounts
from sandbox.store import Change
from sandbox.tmetr.refusals import ApiError
from sandbox.tmetr.settings import Account

PARTY = "tmetr"
ACCOUNTS = Accounts(PARTY, Account)


def authenticate(look: Change, authorization: str) -> Account:
    scheme, _, token = authorization.partition(" ")
    account = ACCOUNTS.by_login(look, token) if scheme.lower() == "bearer" and token else None
    if account is None:
        raise ApiError(401, "Unauthorized")
    return account
