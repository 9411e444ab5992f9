"""Printed codes by the command, at the sandbox: one per machine, whatever happens on the way."""

import base64
import json
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import pytest_asyncio

from coinslot.db.embedded import EmbeddedPostgres
from coinslot.kit import qr
from tests.console.test_codes import scanned
from tests.scenarios.external import Nats
from tests.scenarios.installation import Installation, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOUND_S = 60
PUBLIC = "https://pay.example"
TEXT = "{http://www.w3.org/2000/svg}text"
# The first call of the gateway looks for the code by its notes, the second makes it.
MADE_BUT_NOT_STORED = "die:after_send:2"


class Office(Installation):
    """Machines that have no codes yet."""

    async def provision(self, codes: str, *more: str, **env: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        env = {"COINSLOT_PUBLIC_URL": PUBLIC, **env}
        out = ("--out", str(self.stickers))
        done = await self.command("machines", "provision-qr", codes, *out, *more, **env)
        return done.returncode, done.stdout, done.stderr

    @property
    def stickers(self) -> Path:
        return self.folder / "stickers"

    def codes_of(self, outlet: str) -> list[dict[str, Any]]:
        """What the gateway has of a machine."""
        rows = self.sandbox.ask("GET", "/razorpay/qr_codes")
        return [row for row in rows if row["notes"]["outlet"] == outlet]

    def the_code_of(self, outlet: str) -> dict[str, Any]:
        (only,) = self.codes_of(outlet)
        return only


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    server = EmbeddedPostgres(folder / "server", durable=False)
    await server.start()
    made = Office(folder / "home", Nats(folder / "broker"), server)
    try:
        await made.open(printed=False)
        yield made
    finally:
        await made.close()
        await server.stop()


async def test_every_machine_gets_one_code_as_a_picture_and_as_a_sheet(office: Office) -> None:
    code, said, complaint = await office.provision("M01,M02")
    assert (code, complaint) == (0, "")  # no progress bar where nobody watches one
    for outlet, name in (("M01", "Platform 1"), ("M02", "Platform 2")):
        at_gateway = office.the_code_of(outlet)
        assert at_gateway["payment_amount"] == 4000
        assert (at_gateway["usage"], at_gateway["fixed_amount"]) == ("multiple_use", True)
        assert f"{outlet} A1 40.00 INR {at_gateway['id']}" in said
        paid_by = qr.read((office.stickers / f"{outlet}.png").read_bytes())
        assert paid_by is not None
        assert paid_by.endswith(f"/pay/{at_gateway['id']}")
        sheet = ElementTree.fromstring((office.stickers / f"{outlet}.svg").read_text())
        words = [node.text or "" for node in sheet.iter(TEXT)]
        assert words[:3] == [name, f"{outlet} · A1", "Masala cola · 40.00 INR"]
        assert words[3].startswith("1. Scan with your payment app and pay exactly 40.00 INR")
        assert "3. Nothing came out? Your money comes back by itself." in words
        assert "3. कुछ नहीं निकला? पैसा अपने-आप लौट आएगा।" in words  # rupees: Hindi too
        assert words[-2].endswith(f"{PUBLIC}/q/{outlet}")
        assert words[-1] == "Questions? Asha Refreshments +91 20 5550 1234"
    assert await office.provision("M01, M02") == (0, said, "")
    assert len(office.codes_of("M01")) == len(office.codes_of("M02")) == 1


async def test_a_sheet_that_names_this_computer_is_told_to_be_of_no_use_to_a_phone(
    office: Office,
) -> None:
    code, said, complaint = await office.provision("M01", COINSLOT_PUBLIC_URL="")
    assert (code, "M01 A1 40.00 INR" in said) == (0, True)
    assert "the sheets name http://127.0.0.1:" in complaint
    assert "set COINSLOT_PUBLIC_URL and run this again" in complaint


async def test_an_amount_is_as_it_is_written_and_another_price_takes_a_word(
    office: Office,
) -> None:
    """`--amount 40` made a code of 0.40, which sold a can."""
    for same in ("40", "40.00", "40,00", "40 INR"):
        code, said, _ = await office.provision("M01", "--amount", same)
        assert (code, "M01 A1 40.00 INR" in said) == (0, True)
    assert office.the_code_of("M01")["payment_amount"] == 4000
    for slip in ("4000", "0.40", "40.50"):
        code, said, complaint = await office.provision("M01", "--amount", slip)
        assert (code, said) == (1, "")
        assert "is not the price of slot A1, which is 40.00 INR" in complaint
        assert complaint.count("M01:") == 1
    code, _, complaint = await office.provision("M01", "--amount", "1.000")
    assert (code, "INR has 2 decimal places" in complaint) == (1, True)
    assert office.the_code_of("M01")["payment_amount"] == 4000  # the only one, as it was


async def test_a_sheet_is_remembered_so_that_an_old_print_is_shown_as_old(office: Office) -> None:
    await office.provision("M05")
    (made,) = await office.rows("SELECT sheet_at, retired_at FROM qr_codes WHERE outlet_id = 'M05'")
    assert (made["sheet_at"] is not None, made["retired_at"]) == (True, None)


async def test_a_machine_gets_windows_of_its_own_which_the_doctor_names(office: Office) -> None:
    done = await office.command("machines", "windows", "M01,M02", "dispatch_s=300")
    assert done.returncode == 0
    assert "M01: dispatch_s 300 (its own)\nM01: in_doubt_s 60\n" in done.stdout
    shown = await office.command("machines", "show", "M01")
    assert "windows of its own: dispatch_s 300\n" in shown.stdout
    doctor = await office.command("doctor")
    assert "windows: of their own: M01 dispatch_s 300, M02 dispatch_s 300" in doctor.stdout
    assert re.search(r"kinds: .*\b\d+ vending\b", doctor.stdout)
    done = await office.command("machines", "windows", "M01,M02", "dispatch_s=")
    assert (done.returncode, "(its own)" in done.stdout) == (0, False)
    assert "windows: no outlet has its own" in (await office.command("doctor")).stdout


async def test_a_window_that_no_machine_has_is_refused(office: Office) -> None:
    done = await office.command("machines", "windows", "M01", "lunch_s=300")
    assert done.returncode == 1
    assert "M01: no window lunch_s: there is dispatch_s, in_doubt_s" in done.stderr
    done = await office.command("machines", "windows", "M01", "dispatch_s")
    assert done.returncode == 2
    assert "write it like dispatch_s=300" in done.stderr


async def test_the_doctor_names_outlets_that_this_program_cannot_sell_at(office: Office) -> None:
    await office.rows("UPDATE outlets SET kind = 'kiosk' WHERE id = 'M02' RETURNING id")
    doctor = await office.command("doctor")
    await office.rows("UPDATE outlets SET kind = 'vending' WHERE id = 'M02' RETURNING id")
    assert doctor.returncode == 1
    assert re.search(
        r"sick +kinds: this program has no way of selling for M02 \(kiosk\): ", doctor.stdout
    )


async def test_killed_between_the_gateway_and_the_database_it_finds_the_code_again(
    office: Office,
) -> None:
    code, _, _ = await office.provision("M03", COINSLOT_FAULT=MADE_BUT_NOT_STORED)
    assert code == -signal.SIGKILL
    made = office.the_code_of("M03")
    stored = await office.rows("SELECT qr_code_id FROM qr_codes WHERE outlet_id = 'M03'")
    assert [row["qr_code_id"] for row in stored] == [None]
    code, said, _ = await office.provision("M03")
    assert code == 0
    assert made["id"] in said
    assert office.the_code_of("M03")["id"] == made["id"]


async def test_a_gateway_that_does_not_answer_is_said_and_asked_again(office: Office) -> None:
    office.sandbox.weather(api={"drop_response": 1.0})
    code, _, complaint = await office.provision("M04")
    office.sandbox.weather(api={"drop_response": 0.0})
    assert code == 1
    assert "M04: the gateway has not made the code yet; run this again" in complaint
    assert "Traceback" not in complaint
    code, said, _ = await office.provision("M04")
    assert (code, office.the_code_of("M04")["id"] in said) == (0, True)


async def test_what_cannot_be_printed_is_named_and_the_others_are(office: Office) -> None:
    code, said, complaint = await office.provision("M99,M05")
    assert code == 1
    assert "M99: no outlet has the code M99" in complaint
    assert office.the_code_of("M05")["id"] in said
    code, said, complaint = await office.provision("M05", "--slot", "Z9")
    assert (code, said) == (1, "")
    assert "M05: no such slot in service, or no gateway account" in complaint
    assert "Traceback" not in complaint


async def test_money_through_the_codes_of_a_machine_taken_out_of_service_goes_back(
    office: Office,
) -> None:
    await office.provision("M02")
    old = office.the_code_of("M02")["id"]
    done = await office.command("machines", "decommission", "M99,M02")
    assert done.returncode == 1
    assert "M99: no outlet has the code M99" in done.stderr
    assert "M02: out of service" in done.stdout
    assert "Traceback" not in done.stderr
    assert office.the_code_of("M02")["status"] == "closed"
    code, _, complaint = await office.provision("M02")
    assert (code, "M02: no such slot in service" in complaint) == (1, True)
    await office.start("web")
    await office.start("worker-1")
    reference = office.sandbox.scan(old, late=True)
    await eventually(lambda: office.sandbox.payment(reference)["refunded"] == 4000, BOUND_S)
    await office.assert_books_are_right()


async def test_a_slot_that_was_filled_up_and_mended_sells_again(office: Office) -> None:
    await office.rows("UPDATE slots SET stock = 0, out_of_sale_at = now() WHERE outlet_id = 'M02'")
    done = await office.command("machines", "refill", "M02,M99", "--slot", "A1", "--stock", "12")
    assert (done.returncode, "M02: 12 in A1" in done.stdout) == (1, True)
    assert "M99" in done.stderr
    found = await office.rows(
        "SELECT slot, stock, out_of_sale_at IS NULL AS sells FROM slots WHERE outlet_id = 'M02'"
        " ORDER BY slot"
    )
    assert [(row["stock"], row["sells"]) for row in found][:2] == [(12, True), (0, False)]


async def test_keys_that_do_not_open_the_accounts_stop_the_start_and_are_named(
    office: Office,
) -> None:
    strange = {"COINSLOT_KEYS": f"1:{base64.b64encode(b'k' * 32).decode()}"}
    for words in (("worker",), ("doctor",), ("machines", "provision-qr", "M01")):
        done = await office.command(*words, **strange)
        said = done.stdout + done.stderr
        assert done.returncode == 1
        assert "COINSLOT_KEYS does not open the account " in said
        assert "Traceback" not in said


async def test_a_code_at_another_price_sells_at_it_and_is_told(office: Office) -> None:
    dear = ("--amount", "45", "--different-price")
    await office.provision("M05")
    code, said, complaint = await office.provision("M05", *dear)
    assert (code, "M05 A1 45.00 INR" in said) == (0, True)
    assert "the code of 40.00 INR for slot A1 is retired" in complaint
    assert await office.provision("M05", *dear) == (0, said, "")
    told = (await office.command("doctor")).stdout
    assert "M05's printed code takes 45.00 INR, slot A1 costs 40.00 INR" in told
    audited = (await office.command("audit")).stdout
    assert "printed codes at another price" in audited
    code, said, complaint = await office.provision("M05")
    assert (code, "M05 A1 40.00 INR" in said) == (0, True)
    assert "the code of 45.00 INR for slot A1 is retired" in complaint
    assert "every printed code takes what its slot costs" in (await office.command("doctor")).stdout


async def test_a_price_changes_with_its_printed_code_and_only_when_that_is_confirmed(
    office: Office,
) -> None:
    await office.provision("M05")
    asked = await office.command("machines", "price", "M05,M99", "A1", "45")
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "M05: the printed code of slot A1 takes 40.00 INR: it is retired" in asked.stderr
    assert "Say --codes replace, or --codes keep" in asked.stderr
    assert "M99: no outlet has the code M99" in asked.stderr
    done = await office.command("machines", "price", "M05", "A1", "45", "--codes", "replace")
    assert (done.returncode, done.stdout) == (0, "M05 A1: 45.00 INR\n")
    assert "`coinslot machines provision-qr M05 --slot A1` writes the new print" in done.stderr
    code, said, _ = await office.provision("M05", "--slot", "A1")
    assert (code, "M05 A1 45.00 INR" in said) == (0, True)
    assert "every printed code takes what its slot costs" in (await office.command("doctor")).stdout
    moved = await office.command("machines", "edit", "M05", "--place", "Nashik, the gate")
    assert (moved.returncode, moved.stdout) == (0, "M05: version 3\n")


async def test_from_an_empty_merchant_to_a_machine_that_can_sell(office: Office) -> None:
    async def done(*words: str) -> str:
        ran = await office.command(*words)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    await done("merchants", "add", "nila", "--name", "Nila", "--zone", "Asia/Kolkata")
    form = office.folder / "razorpay.json"
    given = office.world.account("asha")
    form.write_text(json.dumps({
        "key_id": given["key_id"], "key_secret": given["key_secret"],
        "webhook_secrets": [given["webhook_secret"]],
        "base_url": f"{office.sandbox.base_url}/razorpay",
    }))  # fmt: skip
    await done("merchants", "account", "nila", "razorpay", "--from", str(form))
    await done("products", "add", "nila", "cola", "--name", "Masala cola", "--price", "40 INR")
    machine = ("machines", "onboard", "nila", "N01", "--name", "Gate", "--slot", "A1=cola:20")
    out = ("--out", str(office.folder / "enrolments"))
    assert "N01  Gate    razorpay/nila\n    A1  Masala cola  40.00 INR  20" in await done(*machine)
    assert await office.rows("SELECT id FROM outlets WHERE id = 'N01'") == []
    await done(*machine, *out, "--apply")
    again = await office.command(*machine, *out, "--apply")
    assert (again.returncode, "There is a machine N01 already." in again.stderr) == (1, True)
    enrolled = office.folder / "enrolments" / "N01.json"
    assert (enrolled.stat().st_mode & 0o777) == 0o600
    assert json.loads(enrolled.read_bytes())["login"] == "N01"
    code, said, _ = await office.provision("N01")
    assert (code, "N01 A1 40.00 INR" in said) == (0, True)
    table = office.folder / "two.csv"
    table.write_text("code,name,slot,sku\nN02,Gate 2,A1,cola\nN01,Gate,A1,tea\n")
    refused = await office.command("machines", "onboard", "nila", "--from", str(table))
    assert refused.returncode == 1
    assert "line 3, code: There is a machine N01 already." in refused.stderr
    assert "line 3, sku: There is no product tea" in refused.stderr
    table.write_text("code,name,slot,sku\nN02,Gate 2,A1,cola\nN03,Gate 3,A1,cola\n")
    await done("machines", "onboard", "nila", "--from", str(table), *out, "--apply")
    listed = await done("machines", "list", "--merchant", "nila", "--json")
    assert [machine["code"] for machine in json.loads(listed)] == ["N01", "N02", "N03"]


async def test_machines_are_listed_shown_and_a_slot_is_taken_out_of_sale(office: Office) -> None:
    listed = await office.command("machines", "list", "--merchant", "asha", COLUMNS="200")
    assert re.search(
        r"^ *M01 +Platform 1 +Pune Junction +(online|offline|never heard) ", listed.stdout, re.M
    )
    assert "M05" not in listed.stdout  # Chandra's
    taken = await office.command("machines", "out-of-sale", "M01,M77", "A2")
    assert (taken.returncode, taken.stdout) == (1, "M01 A2: out of sale\n")
    assert "M77: no outlet has the code M77" in taken.stderr
    shown = await office.command("machines", "show", "M01", COLUMNS="200")
    assert re.search(
        r"A2 +Lime soda \(lime\) +35.00 INR +20 .*out of sale by a person", shown.stdout
    )
    assert (await office.command("machines", "on-sale", "M01", "A2")).returncode == 0
    whole = json.loads((await office.command("machines", "show", "M01", "--json")).stdout)
    assert [slot["out_of_sale_at"] for slot in whole["slots"]] == [None] * 4
    edited = await office.command("products", "edit", "asha", "lime", "--price", "36 INR")
    assert edited.stdout == "lime  Lime soda  36.00 INR  costs 16.00 INR\n"
    strange = await office.command("products", "edit", "asha", "lime", "--price", "36")
    assert (strange.returncode, "like 40 INR" in strange.stderr) == (2, True)


async def test_the_doctor_names_the_computer_whose_clock_is_wrong(office: Office) -> None:
    await office.provision("M03")
    (heard,) = await office.rows("SELECT node, ahead_ms, off_since FROM clocks LIMIT 1")
    assert (abs(heard["ahead_ms"]) < 2000, heard["off_since"]) == (True, None)
    well = await office.command("doctor")
    assert "agrees with the database's" in well.stdout
    await office.rows(
        "UPDATE clocks SET off_since = now(), heard_at = now(), ahead_ms = 121000, node = 'web-7'"
        " WHERE account_id = (SELECT account_id FROM outlets WHERE id = 'M03')"
    )
    sick = await office.command("doctor")
    assert sick.returncode == 1
    assert "sick  clock: web-7 is 121 s ahead of razorpay/asha" in sick.stdout
    await office.rows("UPDATE clocks SET off_since = NULL")


async def test_a_machine_and_a_merchant_are_moved_to_another_zone(office: Office) -> None:
    done = await office.command("machines", "zone", "M01,M99", "America/St_Johns")
    assert (done.returncode, "M01: America/St_Johns" in done.stdout) == (1, True)
    assert "no outlet has the code M99" in done.stderr
    done = await office.command("merchants", "zone", "asha", "Europe/Berlin")
    assert (done.returncode, done.stdout) == (0, "asha is in Europe/Berlin\n")
    done = await office.command("merchants", "zone", "nobody", "Europe/Berlin")
    assert (done.returncode, "there is no merchant nobody" in done.stderr) == (1, True)
    added = await office.command("merchants", "add", "dev", "--name", "Dev")
    assert "its times are shown in UTC, until `coinslot merchants zone dev ZONE`" in added.stdout
    await office.command("merchants", "add", "esa", "--name", "Esa", "--zone", "Asia/Kolkata")
    listed = (await office.command("merchants")).stdout
    assert "asha  Asha Refreshments  Europe/Berlin" in listed
    assert "esa  Esa  Asia/Kolkata" in listed
    assert [row["zone"] for row in await office.rows("SELECT zone FROM outlets WHERE id = 'M01'")
            ] == ["America/St_Johns"]  # fmt: skip


async def test_sheets_by_the_command_are_read_back_by_a_scanner(office: Office) -> None:
    """Two machines on an A4 sheet: the PDF leads to the codes of the gateway, the SVG to the
    machines' pages."""
    out, env = office.folder / "sheets", {"COINSLOT_PUBLIC_URL": PUBLIC}
    words = ("machines", "codes", "M01,M03", "--out", str(out))
    done = await office.command(*words, **env)
    while done.stderr.endswith("run this again\n"):  # the gateway was too slow with one
        done = await office.command(*words, **env)
    assert (done.returncode, done.stderr) == (0, "")
    wanted = sorted(
        row["id"] for outlet in ("M01", "M03") for row in office.codes_of(outlet)
        if row["status"] == "active"
    )  # fmt: skip
    assert f"{len(wanted)} codes -> {out / 'codes.pdf'}, .svg" in done.stdout
    (page,) = scanned((out / "codes.pdf").read_bytes(), 150)
    assert sorted(text.rpartition("/")[2] for text in page) == wanted
    rows = await office.rows(
        "SELECT count(*) FROM qr_codes WHERE outlet_id IN ('M01', 'M03') AND sheet_at IS NOT NULL"
        " AND retired_at IS NULL AND payment_id IS NULL"
    )
    assert rows[0]["count"] == len(wanted)
    pages = await office.command(
        "machines", "codes", "M01,M03", "--page", "--layout", "a6", "--out", str(out), **env
    )
    assert pages.returncode == 0
    found = scanned((out / "codes.pdf").read_bytes(), 150)
    assert [text for page in found for text in page] == [f"{PUBLIC}/q/M01", f"{PUBLIC}/q/M03"]
