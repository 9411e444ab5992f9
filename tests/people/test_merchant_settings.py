"""A merchant's own settings: each is kept as it was typed, told with what it was before, and asks
for a proof where it says so."""

import asyncio

import pytest
from msgspec.structs import replace

from coinslot.kit.money import Money
from coinslot.people import merchant_settings
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.people.authentication import RuleError
from coinslot.people.merchant_settings import MerchantSettings
from tests.people.conftest import Staffed

TYPED = MerchantSettings(
    name="Asha's cans", contact="+91 98", zone="Asia/Kolkata", currency="RUB",
    languages=("hi", "en"), refund_proof_minor=5000,
)  # fmt: skip
NAMES = ("name", "contact", "zone", "currency", "languages", "refund_proof_minor")


async def typed(staffed: Staffed, wanted: MerchantSettings) -> MerchantSettings:
    """On the page that shows what is kept now; what is kept then."""
    context = staffed.stage.context
    before = await merchant_settings.settings(context.db, staffed.merchant)
    wanted = replace(wanted, version=before.version)
    await merchant_settings.change(context.db, COMMAND_LINE, staffed.merchant, wanted,
                                   context.now())  # fmt: skip
    after = await merchant_settings.settings(context.db, staffed.merchant)
    assert after.version == before.version + 1
    return after


async def test_each_setting_is_kept_and_told_with_what_it_was(staffed: Staffed) -> None:
    first = await merchant_settings.settings(staffed.stage.context.db, staffed.merchant)
    kept = await typed(staffed, TYPED)
    assert replace(kept, version=1) == TYPED
    await typed(staffed, kept)
    (told,) = await staffed.log("settings.changed")  # nothing had changed the second time
    assert told["merchant_id"] == staffed.merchant
    assert told["subject"] == str(staffed.merchant)
    changed = [name for name in NAMES if getattr(first, name) != getattr(kept, name)]
    assert len(changed) > 3
    for side, was in (("before", first), ("after", kept)):
        said = {name: getattr(was, name) for name in changed}
        assert told[side] == {
            name: list(value) if isinstance(value, tuple) else value for name, value in said.items()
        }


@pytest.mark.parametrize(
    ("differs", "code"),
    [
        ({"name": ""}, "no_name"),
        ({"zone": "Asia/Nowhere"}, "unknown_zone"),
        ({"version": 99}, "stale_settings"),
    ],
)
async def test_what_cannot_be_kept_changes_nothing(
    staffed: Staffed, differs: dict[str, str | int], code: str
) -> None:
    context = staffed.stage.context
    before = await merchant_settings.settings(context.db, staffed.merchant)
    wanted = replace(replace(TYPED, version=before.version), **differs)
    with pytest.raises(RuleError) as refused:
        await merchant_settings.change(
            context.db, COMMAND_LINE, staffed.merchant, wanted, context.now()
        )
    assert refused.value.code == code
    assert await merchant_settings.settings(context.db, staffed.merchant) == before


async def test_without_a_currency_it_stays_and_no_limit_is_set_where_there_is_none(
    staffed: Staffed,
) -> None:
    context = staffed.stage.context
    assert (await typed(staffed, TYPED)).currency == "RUB"
    assert (await typed(staffed, replace(TYPED, currency=None))).currency == "RUB"
    async with context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("UPDATE merchants SET currency = NULL")
    with pytest.raises(RuleError) as refused:
        await typed(staffed, replace(TYPED, currency=None))
    assert refused.value.code == "no_currency"
    kept = await typed(staffed, replace(TYPED, currency=None, refund_proof_minor=None))
    assert (kept.currency, kept.refund_limit) == (None, None)


async def test_languages_alone_are_changed_and_told(staffed: Staffed) -> None:
    context = staffed.stage.context
    before = await typed(staffed, TYPED)
    await merchant_settings.set_languages(
        context.db, COMMAND_LINE, staffed.merchant, ("ru",), context.now()
    )
    after = await merchant_settings.settings(context.db, staffed.merchant)
    assert after == replace(before, languages=("ru",), version=before.version + 1)
    told = (await staffed.log("settings.changed"))[-1]
    assert (told["before"], told["after"], told["merchant_id"], told["subject"]) == (
        {"languages": ["hi", "en"]}, {"languages": ["ru"]}, staffed.merchant,
        str(staffed.merchant),
    )  # fmt: skip


async def test_of_two_who_save_at_once_one_is_told(staffed: Staffed) -> None:
    context = staffed.stage.context
    before = await merchant_settings.settings(context.db, staffed.merchant)
    ended = await asyncio.gather(
        *(
            merchant_settings.change(
                context.db, COMMAND_LINE, staffed.merchant,
                replace(TYPED, version=before.version, name=name), context.now(),
            )
            for name in ("one", "two")
        ),
        return_exceptions=True,
    )  # fmt: skip
    assert [type(one) for one in ended if one is not None] == [RuleError]


@pytest.mark.parametrize(
    ("limit", "refund", "asks"),
    [
        (5000, Money(5000, "RUB"), False),
        (5000, Money(5001, "RUB"), True),
        (5000, Money(1, "INR"), True),
        (None, Money(9999, "RUB"), False),
    ],
)
def test_a_refund_above_the_limit_asks_for_a_proof(
    limit: int | None, refund: Money, asks: bool
) -> None:
    assert replace(TYPED, refund_proof_minor=limit).asks_proof_of(refund) is asks
