"""A list that is too long is read in halves, so often and no more: one without end is unclear."""

from datetime import UTC, datetime, timedelta

from coinslot.gateways.base import Absent, Unclear
from coinslot.gateways.listing import Listed, TooMany, first_found, whole

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
Span = tuple[datetime, datetime]


class Lists:
    """More than `at_once` seconds are too many at once; keeps the spans that it was asked for."""

    def __init__(self, at_once: int, wrong: datetime | None = None) -> None:
        self.asked: list[Span] = []
        self._at_once = timedelta(seconds=at_once)
        self._wrong = wrong

    async def whole(self, since: datetime, until: datetime) -> Listed[Span] | Unclear | TooMany:
        self.asked.append((since, until))
        if until - since > self._at_once:
            return TooMany("a lot")
        if self._wrong is not None and since <= self._wrong < until:
            return Unclear("cut off")
        return Listed(((since, until),))

    async def one(self, since: datetime, until: datetime) -> str | Absent | Unclear | TooMany:
        self.asked.append((since, until))
        if until - since > self._at_once:
            return TooMany("a lot")
        found = self._wrong is not None and since <= self._wrong < until
        return "here" if found else Absent()


def seconds(spans: object) -> list[tuple[int, int]]:
    assert isinstance(spans, list | tuple)
    return [tuple(int((at - BEGIN).total_seconds()) for at in span) for span in spans]  # type: ignore[misc]


async def test_a_span_is_halved_until_its_parts_are_few_enough() -> None:
    lists = Lists(2)
    found = await whole(BEGIN, BEGIN + timedelta(seconds=8), lists.whole)
    assert isinstance(found, Listed)
    assert seconds(found.facts) == [(0, 2), (2, 4), (4, 6), (6, 8)]
    assert seconds(lists.asked) == [(0, 8), (0, 4), (0, 2), (2, 4), (4, 8), (4, 6), (6, 8)]


async def test_it_is_halved_so_often_and_no_more_on_either_side() -> None:
    day = BEGIN + timedelta(days=1)
    for halvings, asked in ((0, 1), (1, 2), (3, 4)):
        lists = Lists(2)
        said = await whole(BEGIN, day, lists.whole, halvings)
        assert said == Unclear(f"a lot between {BEGIN} and {lists.asked[-1][1]}")
        assert len(lists.asked) == asked
    # What is too much stands in the second half alone.
    late = BEGIN + timedelta(seconds=5)

    async def ask(since: datetime, until: datetime) -> Listed[Span] | Unclear | TooMany:
        asked_for.append((since, until))
        return TooMany("a lot") if until > late else Listed(((since, until),))

    asked_for: list[Span] = []
    assert isinstance(await whole(BEGIN, BEGIN + timedelta(seconds=8), ask, 2), Unclear)
    assert seconds(asked_for) == [(0, 8), (0, 4), (4, 8), (4, 6)]


async def test_a_second_is_not_halved_and_a_part_that_is_cut_off_spoils_the_whole() -> None:
    lists = Lists(0)
    assert isinstance(await whole(BEGIN, BEGIN + timedelta(seconds=2), lists.whole), Unclear)
    assert seconds(lists.asked) == [(0, 2), (0, 1)]
    for wrong in (0, 5):
        lists = Lists(2, BEGIN + timedelta(seconds=wrong))
        said = await whole(BEGIN, BEGIN + timedelta(seconds=8), lists.whole)
        assert said == Unclear("cut off")


async def test_a_search_begins_with_the_newest_part_and_ends_where_it_finds() -> None:
    end = BEGIN + timedelta(seconds=8)
    lists = Lists(2, BEGIN + timedelta(seconds=5))
    assert await first_found(BEGIN, end, lists.one) == "here"
    assert seconds(lists.asked) == [(0, 8), (4, 8), (6, 8), (4, 6)]
    lists = Lists(2)
    assert await first_found(BEGIN, end, lists.one) == Absent()
    assert len(lists.asked) == 7
    lists = Lists(0)
    assert isinstance(await first_found(BEGIN, end, lists.one), Unclear)
    for halvings, asked in ((0, 1), (1, 2)):
        lists = Lists(2)
        assert isinstance(await first_found(BEGIN, end, lists.one, halvings), Unclear)
        assert len(lists.asked) == asked
    # What is too much stands in the older half alone.

    async def ask(since: datetime, until: datetime) -> str | Absent | TooMany:
        asked_for.append((since, until))
        return TooMany("a lot") if since < BEGIN + timedelta(seconds=3) else Absent()

    asked_for: list[Span] = []
    assert isinstance(await first_found(BEGIN, end, ask, 2), Unclear)
    assert seconds(asked_for) == [(0, 8), (4, 8), (0, 4), (2, 4)]
