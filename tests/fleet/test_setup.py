"""The checklist of a new merchant: what is noted of it, by whichever step it begins."""

from coinslot.fleet import setup
from coinslot.fleet.config import Editor
from coinslot.fleet.setup import Draft, Setup
from tests.sales.stage import Stage


async def known(stage: Stage) -> Setup:
    return await setup.progress(stage.context, stage.merchant)


async def test_whoever_looks_at_the_record_first_has_begun_with_it(stage: Stage) -> None:
    before = await known(stage)
    assert (before.begun, before.books_seen, before.put_away) == (False, False, False)
    await setup.note_books_seen(stage.context, Editor(stage.merchant, "asha"))
    after = await known(stage)
    assert (after.begun, after.books_seen, after.put_away) == (True, True, False)
    assert after.done == before.done + 1


async def test_what_was_typed_of_a_machine_first_is_kept(stage: Stage) -> None:
    draft = Draft(code="P01", name="Drawn", place="My desk")
    await setup.keep_draft(stage.context, Editor(stage.merchant, "asha"), draft)
    assert (await known(stage)).draft == draft


async def test_a_checklist_that_is_put_away_stays_so_and_keeps_what_was_done(stage: Stage) -> None:
    asha = Editor(stage.merchant, "asha")
    await setup.put_away(stage.context, asha)
    assert not (await known(stage)).put_away  # nobody had begun
    await setup.begin(stage.context, asha)
    await setup.note_books_seen(stage.context, asha)
    await setup.put_away(stage.context, asha)
    stage.later(60)
    await setup.begin(stage.context, asha)
    await setup.put_away(stage.context, asha)
    after = await known(stage)
    assert (after.begun, after.books_seen, after.put_away) == (True, True, True)
    (row,) = await stage.rows("SELECT begun_at, books_seen_at, put_away_at FROM setups")
    assert len(set(row.values())) == 1  # each at its first time
