"""A list of payments is read in two statements, whatever its length."""

from asyncpg.connection import LoggedQuery

from coinslot.kit.money import Money
from coinslot.payments import api_views, attempts
from coinslot.payments.api_views import ListQuery
from tests.sales.stage import Stage


async def test_a_page_of_twenty_payments_takes_two_statements(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        for n in range(25):
            stage.later(1)
            ask = attempts.PaymentRequest(money=Money(4000, "INR"), reference=f"order {n}")
            await attempts.write(conn, stage.context, stage.merchant, ask)
    said: list[str] = []

    def hear(record: LoggedQuery) -> None:
        said.append(record.query)

    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await api_views.payments(conn, ListQuery(limit=1))  # the driver asks for types once
        with conn.query_logger(hear):
            page = await api_views.payments(conn, ListQuery(limit=20))
            rest = await api_views.payments(conn, ListQuery(limit=20, after=page[-1].id))
        one = await api_views.payment(conn, page[0].id)
    assert [found.reference for found in page] == [f"order {n}" for n in range(24, 4, -1)]
    assert [found.reference for found in rest] == [f"order {n}" for n in range(4, -1, -1)]
    assert one == page[0]
    assert len(said) == 2 * 2
