"""The mutants of coffee machines: beside the twelve, with no word in the model."""

from typing import Final

from tests.mutants.edits import Edit, Mutation

_ROOM = "src/coinslot/coffee/fulfillment.py"
_CUPS = "tests/coffee/test_cups.py"
_SELLS = f"{_CUPS}::test_a_paid_cup_is_commanded_once_and_handed_over_after_its_grace"
_COMMIT = (
    "        if not await self._commit(context, vendor, unit):\n"
    "            await self.deadline(context, unit)  # its time ended while the machine was"
    " asked for\n"
    "            return\n"
    "        context.db.check_lease()  # stopped for a while, another process may have"
    " given it up\n"
    "        answer = await vendor.make(cup)\n"
)

COFFEE = (
    Mutation(
        number=101,
        edits=(
            Edit(
                _ROOM,
                "        await _answered(context, unit, answer)\n",
                "        if isinstance(answer, Unclear):\n"
                "            answer = await vendor.make(cup)\n"
                "        await _answered(context, unit, answer)\n",
            ),
        ),
        red=(f"{_CUPS}::test_an_unclear_command_is_never_sent_again_and_ends_by_policy",),
        green=_SELLS,
    ),
    Mutation(
        number=102,
        edits=(
            Edit(
                _ROOM,
                _COMMIT,
                "        answer = await vendor.make(cup)\n"
                "        if not await self._commit(context, vendor, unit):\n            return\n",
            ),
        ),
        red=(f"{_CUPS}::test_who_dies_before_the_commit_of_a_command_has_sent_none",),
        green=_SELLS,
    ),
    Mutation(
        number=103,
        edits=(
            Edit(
                "src/coinslot/coffee/sql/coffee.sql",
                "least(f.dispatch_by, o.ends_by)",
                "f.dispatch_by",
            ),
        ),
        red=(f"{_CUPS}::test_an_order_that_expired_before_its_command_is_never_made",),
        green=_SELLS,
    ),
    Mutation(
        number=104,
        edits=(
            Edit(
                _ROOM,
                'windows.span("grace_s")',
                'windows.span("grace_s") * 0',
            ),
        ),
        red=(f"{_CUPS}::test_a_customer_who_got_nothing_has_the_money_back_at_once",),
        green=f"{_CUPS}::test_a_refused_command_made_nothing_and_its_money_goes_back",
    ),
    Mutation(
        number=105,
        edits=(
            Edit(
                _ROOM,
                'if wanted is None or wanted["moved"]:',
                "if wanted is None:",
            ),
        ),
        red=(
            "tests/coffee/test_attacks.py"
            "::test_a_cup_is_never_made_at_another_device_than_that_of_its_code",
        ),
        green=_SELLS,
    ),
)

NAMES: Final = {
    101: "make is sent again after a time-out",
    102: "make before its commit",
    103: "an expired order is made",
    104: "no grace",
    105: "a cup is made at another device than that of its code",
}
