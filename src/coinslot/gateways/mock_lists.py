"""What happened at the mock gateway in a span of time; see `mock.py`."""

from datetime import datetime

from coinslot.gateways.base import Payments, Refunds, Unclear
from coinslot.gateways.mock_books import Books, at_the_books


class Lists:
    """`ListsPayments`."""

    _books: Books

    @at_the_books
    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear:
        paid = self._books.payments.values()
        return Payments(tuple(fact for fact in paid if since <= fact.at < until))

    @at_the_books
    async def refunds_between(self, since: datetime, until: datetime) -> Refunds | Unclear:
        made = self._books.refunds.values()
        return Refunds(tuple(fact for fact in made if since <= fact.at < until))
