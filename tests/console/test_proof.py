"""Proof: the worker audits when it is asked, with a login that moves nothing; and an order's proof
is a file that holds against whoever changes it."""

import asyncio
import base64
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from coinslot.app.kinds import KINDS
from coinslot.commands import build
from coinslot.db.due import TABLES
from coinslot.db.pool import connect
from coinslot.oversight import audit_runs, signed_proof
from coinslot.oversight.changes import Changes
from coinslot.oversight.signed_proof import SignedProof, UnreadableProofError
from coinslot.oversight.store import OWED_ROWS
from tests.conftest import DatabaseUrls
from tests.console.conftest import signed_in
from tests.console.test_money import sold
from tests.people.conftest import Staffed

FLOWS = {name: kind.flow for name, kind in KINDS.items()}


async def proof_of(staffed: Staffed, order: UUID) -> SignedProof:
    made = await signed_proof.signed(staffed.stage.context, staffed.merchant, order)
    assert made is not None
    return made


def failing(proof: SignedProof) -> set[str]:
    return {one.name for one in signed_proof.check(proof, FLOWS) if not one.ok}


async def test_meera_asks_and_the_worker_tells_her_what_it_found(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    await sold(staffed)
    meera = await signed_in(staffed, "meera")
    page = await meera.look("/console/proof")
    assert "No audit was made yet" in page.text
    for _ in range(2):  # the second click finds the first waiting
        answer = await meera.press(page, "/console/proof/run")
        assert answer.headers["location"] == "/console/proof?done=audit_asked"
    assert "Waits for the worker" in (await meera.look("/console/proof")).text
    assert await audit_runs.work(staffed.stage.context, urls.door)
    assert not await audit_runs.work(staffed.stage.context, urls.door)
    page = await meera.look("/console/proof")
    assert "Everything holds" in page.text
    assert "captures are accounted for" in page.text
    assert len(await staffed.log("audit.asked")) == 1


async def test_the_worker_finds_what_the_owner_finds(staffed: Staffed, urls: DatabaseUrls) -> None:
    """With the system login: it sees the rows of every merchant."""
    await sold(staffed)
    stage = staffed.stage
    owner = await connect(urls.owner)
    try:
        await owner.execute("ALTER TABLE captures DROP CONSTRAINT captured_is_accounted_for")
        await owner.execute("UPDATE captures SET fulfilled = fulfilled - 1")
        await audit_runs.ask(stage.context, "meera")
        await audit_runs.work(stage.context, urls.door)
        (run,) = await audit_runs.newest(stage.context)
        assert {one.name for one in run.red} == (await stage.audit()).red
        assert "captures_are_accounted_for" in {one.name for one in run.red}
        meera = await signed_in(staffed, "meera")
        assert "Rules that do not hold: " in (await meera.look("/console/proof")).text
    finally:
        await owner.execute("UPDATE captures SET fulfilled = fulfilled + 1")
        await owner.execute(
            "ALTER TABLE captures ADD CONSTRAINT captured_is_accounted_for CHECK (captured ="
            " fulfilled + refund_due + goodwill + surplus + foreign_amount + open)"
        )
        await owner.close()


async def test_the_login_that_audits_can_neither_change_money_nor_an_audit_that_was_asked(
    staffed: Staffed,
) -> None:
    for sql in (
        "UPDATE captures SET fulfilled = 0",
        "DELETE FROM ledger",
        "UPDATE audit_runs SET asked_by = 'nobody'",
        "DELETE FROM audit_runs",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with staffed.stage.context.db.system_transaction() as conn:
                await conn.execute(sql)


async def test_an_audit_of_a_process_that_died_is_made_by_another(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    context = staffed.stage.context
    assert await audit_runs.ask(context, "meera")
    async with context.db.system_transaction() as conn:
        await conn.execute(
            "UPDATE audit_runs SET tries = 1, leased_until = clock_timestamp() + interval '1 hour'"
        )
    assert not await audit_runs.work(context, urls.door)  # that process may be alive
    async with context.db.system_transaction() as conn:
        await conn.execute("UPDATE audit_runs SET leased_until = clock_timestamp()")
    assert await audit_runs.work(context, urls.door)
    (run,) = await audit_runs.newest(context)
    assert run.ok


async def test_two_processes_make_one_audit_and_two_people_ask_for_one(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    context = staffed.stage.context
    assert sorted(
        await asyncio.gather(*(audit_runs.ask(context, who) for who in ("meera", "x", "y")))
    ) == [False, False, True]
    made = await asyncio.gather(*(audit_runs.work(context, urls.door) for _ in range(3)))
    assert sorted(made) == [False, False, True]


async def test_an_audit_that_cannot_be_made_says_so_after_three_tries(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    context = staffed.stage.context
    await audit_runs.ask(context, "meera")
    nowhere = urls.door.replace(":of-the-tests@", ":wrong@")
    async with context.db.system_transaction() as conn:
        await conn.execute("UPDATE audit_runs SET tries = 2")
    assert await audit_runs.work(context, nowhere)
    (run,) = await audit_runs.newest(context)
    assert run.ok is None
    assert run.failure


async def test_an_open_page_is_told_when_an_audit_is_asked_for_and_when_it_ends(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    """By the next round, long before the page would look by itself."""
    context = staffed.stage.context
    changes = Changes(context, round_s=0.3)
    seen = await changes.changed(None, "", 9)
    seen = await changes.changed(None, seen, 1)  # the first round may tell what it found
    told = asyncio.create_task(changes.changed(None, seen, 2))
    await audit_runs.ask(context, "meera")
    asked = await told
    assert asked != seen
    told = asyncio.create_task(changes.changed(None, asked, 2))
    await audit_runs.work(context, urls.door)
    assert await told != asked


async def test_what_is_owed_is_counted_with_who_does_it(staffed: Staffed) -> None:
    await staffed.stage.hello()
    await staffed.stage.sell()
    (owed,) = [one for one in await audit_runs.owed(staffed.stage.context)
               if one.table == "fulfillments"]  # fmt: skip
    assert (owed.kind, owed.rows) == ("queued", 1)
    meera = await signed_in(staffed, "meera")
    page = await meera.look("/console/proof/owed")
    assert "Paid goods that are not settled" in page.text
    assert "The process of the machines offers it" in page.text


async def test_every_table_that_is_swept_is_on_the_page_of_what_is_owed() -> None:
    assert [table for table in TABLES if f"FROM {table} WHERE" not in OWED_ROWS] == []


async def test_the_proof_of_a_can_that_dropped_holds_in_every_question(staffed: Staffed) -> None:
    assert failing(await proof_of(staffed, await sold(staffed))) == set()


async def test_the_proof_of_a_can_that_did_not_drop_holds_too(staffed: Staffed) -> None:
    made = await proof_of(staffed, await sold(staffed, "FAILED"))
    assert failing(made) == set()
    assert [one["state"] for one in made.proof["refunds"]] == ["succeeded"]


async def test_a_proof_says_that_it_is_not_whole_while_a_can_is_owed(staffed: Staffed) -> None:
    await staffed.stage.sell()
    order = UUID(str(await staffed.stage.value("SELECT id FROM orders")))
    assert failing(await proof_of(staffed, order)) == {"captured_money_became_goods_or_went_back"}


def resigned(proof: dict[str, Any]) -> SignedProof:
    """By somebody who has a key of their own."""
    key = Ed25519PrivateKey.generate()
    content = msgspec.json.encode(proof, order="sorted")
    return SignedProof(
        proof=proof, key=signed_proof.public_key(key),
        signature=base64.b64encode(key.sign(content)).decode(),
    )  # fmt: skip


async def test_whatever_is_changed_in_a_file_is_found(staffed: Staffed) -> None:
    made = await proof_of(staffed, await sold(staffed))
    text = signed_proof.as_file(made)
    assert signed_proof.read(text) == made
    for old, new in ((b'"amount": 4000', b'"amount": 4001'), (b"vended", b"jammed")):
        assert old in text
        changed = signed_proof.read(text.replace(old, new, 1))
        assert "it_is_as_it_was_signed" in failing(changed)


async def test_a_forger_with_a_key_of_their_own_has_to_keep_the_books_too(
    staffed: Staffed,
) -> None:
    made = await proof_of(staffed, await sold(staffed))
    mark = signed_proof.fingerprint(made.key)
    proof = msgspec.json.decode(signed_proof.as_file(made))["proof"]
    proof["captures"][0]["fulfilled"] = 0
    proof["captures"][0]["refund_due"] = 4000
    proof["order"]["state"] = "failed"
    forged = resigned(proof)
    assert failing(forged) == {
        "the_ledger_says_the_same_as_the_captures",
        "every_state_was_reached_by_moves_that_are_allowed",
    }
    assert signed_proof.fingerprint(forged.key) != mark


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{\n "key"', b'{\n "note": "paid in full",\n "key"'),
        (b'"amount": 4000', b'"amount": 400000, "amount": 4000'),
        (b'"proof": {', b'"proof": {"format": "coinslot-order-proof/1"},\n "proof": {'),
    ],
)
async def test_a_file_that_says_more_than_what_was_signed_is_no_proof(
    staffed: Staffed, old: bytes, new: bytes
) -> None:
    """It held, since what was added was not looked at; whoever read the file saw it first."""
    text = signed_proof.as_file(await proof_of(staffed, await sold(staffed)))
    assert old in text
    with pytest.raises(UnreadableProofError):
        signed_proof.read(text.replace(old, new, 1))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b'{"proof": {}, "key": "", "signature": ""}', b"\xff",
        b'{"proof": {"format": "coinslot-order-proof/1"}, "key": "\xc3\xa9", "signature": ""}',
        b'{"key": "", "signature": "", "proof": ' + b'{"a": ' * 5000 + b"1" + b"}" * 5001,
    ],
)  # fmt: skip
def test_a_file_that_is_no_proof_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableProofError):
        signed_proof.read(content)


def test_a_proof_with_nothing_in_it_holds_in_no_question() -> None:
    empty = resigned({"format": signed_proof.FORMAT})
    assert len(failing(empty)) == 5  # what is signed is all that is right


async def test_the_key_is_made_once_by_whoever_comes_first(staffed: Staffed) -> None:
    context = staffed.stage.context
    keys = await asyncio.gather(
        *(signed_proof.proof_key(context.db, context.vault) for _ in range(4))
    )
    assert len({signed_proof.public_key(key) for key in keys}) == 1


async def test_the_file_of_the_console_is_checked_by_the_command_without_a_database(
    staffed: Staffed, tmp_path: Path
) -> None:
    order = await sold(staffed)
    vera = await signed_in(staffed, "vera")
    page = await vera.look(f"/console/orders/{order}/proof")
    assert "The proof is whole" in page.text
    answer = await vera.look(f"/console/orders/{order}/proof/file")
    assert "attachment" in answer.headers["content-disposition"]
    assert len(await staffed.log("order.proof_taken")) == 1
    file = tmp_path / "proof.json"
    file.write_bytes(answer.content)
    runner, command = CliRunner(), build()
    checked = await asyncio.to_thread(runner.invoke, command, ["audit", "--file", str(file)])
    assert checked.exit_code == 0, checked.output
    mark = signed_proof.fingerprint(signed_proof.read(answer.content).key)
    assert mark in page.text
    assert mark in checked.output
    file.write_bytes(answer.content.replace(b"4000", b"1"))
    changed = await asyncio.to_thread(runner.invoke, command, ["audit", "--file", str(file)])
    assert changed.exit_code == 1
    assert "FAILS" in changed.output


@pytest.mark.parametrize("order", [None, [], "K7F2", {}])
def test_a_file_that_is_signed_and_has_no_order_is_answered_by_the_command(
    tmp_path: Path, order: object
) -> None:
    file = tmp_path / "proof.json"
    content = {"format": signed_proof.FORMAT, "order": order}
    file.write_bytes(signed_proof.as_file(resigned(content)))
    checked = CliRunner().invoke(build(), ["audit", "--file", str(file)])
    assert (checked.exit_code, "FAILS" in checked.output) == (1, True), checked.output


async def test_chandra_gets_no_proof_of_ashas_order(staffed: Staffed) -> None:
    order = await sold(staffed)
    chandra = await signed_in(staffed, "chandra")
    for path in (f"/console/orders/{order}/proof", f"/console/orders/{order}/proof/file"):
        assert (await chandra.look(path)).status_code == 404
    asha = await signed_in(staffed, "asha")  # an admin of a merchant runs no installation
    assert (await asha.look("/console/proof")).status_code == 403
