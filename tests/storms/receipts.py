"""Fiscal receipts in a storm: tills that refuse them, people who correct them, strangers who say
that something is paid; and a fourth book. What the gateways registered is what they took, gave back
and what was handed over of it, to the kopeck."""

import json
import random
from collections import Counter
from typing import Any, NamedTuple

import httpx

from coinslot.payments import receipt_corrections
from coinslot.payments.receipt_corrections import Correction, ReceiptRefusedError
from coinslot.people.audit_log import COMMAND_LINE
from tests.storms.chronicle import Chronicle
from tests.storms.compare import Breach
from tests.storms.history import Event
from tests.storms.tills import FISCAL, account_of, in_russia

GATEWAYS = ("yookassa", "tbank")
KINDS = ("payment", "refund", "closing")
_REFUSALS = (["till"], ["till"], ["refund"], ["payment"], ["refund", "till"])
_STRANGER = "127.0.0.2"
_WANTING = """
SELECT r.id, r.state, g.gateway FROM receipts r JOIN gateway_accounts g ON g.id = r.account_id
WHERE r.state IN ('refused', 'overdue') AND EXISTS (SELECT FROM attempts a WHERE a.id = r.attempt_id
    AND a.state = 'succeeded' UNION ALL SELECT FROM refunds f WHERE f.id = r.refund_id)
ORDER BY r.created_at
"""
_OURS = """
SELECT g.gateway, r.kind, r.state, r.amount_minor, r.fiscal ? 'by_hand' AS by_hand,
    coalesce(a.gateway_payment_id, a.reference, c.gateway_payment_id) AS payment
FROM receipts r JOIN gateway_accounts g ON g.id = r.account_id
LEFT JOIN attempts a ON a.id = r.attempt_id LEFT JOIN refunds f ON f.id = r.refund_id
LEFT JOIN captures c ON c.id = f.capture_id
"""
# Of an order that was paid for in advance.
_HANDED_OVER = """
SELECT c.gateway_payment_id AS payment, sum(f.amount_minor)::bigint AS n
FROM captures c JOIN fulfillments f ON f.capture_id = c.id AND f.settlement = 'fulfilled'
JOIN gateway_accounts g ON g.id = c.account_id AND g.gateway = ANY ($1)
JOIN orders o ON o.id = c.order_id AND o.state = 'completed' WHERE c.reason IS NULL GROUP BY 1
"""


def tills(dice: random.Random, seconds: float, count: int) -> list[Event]:
    """When which till refuses what, and until when."""
    events = []
    for _ in range(count):
        gateway, at_s = dice.choice(GATEWAYS), round(dice.uniform(0, seconds * 0.8), 2)
        refused = dice.choice(_REFUSALS)
        events.append(Event(at_s, "till", more={"gateway": gateway, "refused": refused}))
        mended = round(at_s + dice.uniform(2, 8), 2)
        events.append(Event(mended, "till", more={"gateway": gateway, "refused": []}))
    return events


async def refuse(town: Any, chronicle: Chronicle, gateway: str, refused: list[str]) -> None:
    """From now on; nothing: all is well again."""
    chronicle.counts.update(f"{gateway} refuses receipts ({one})" for one in refused)
    account = in_russia(gateway, FISCAL) | {
        "receipts_refused": refused, "webhook_url": f"{town.web_url}/webhooks/{gateway}/{FISCAL}",
    }  # fmt: skip
    await town.ask("POST", f"/{gateway}/accounts", account)


async def lie(town: Any, chronicle: Chronicle, gateway: str, reference: str) -> None:
    """Somebody who is not the gateway says that this is paid. Raises AssertionError if he is
    believed."""
    if gateway == "yookassa":
        told: dict[str, Any] = {"type": "notification", "event": "payment.succeeded", "object": {
            "id": reference, "status": "succeeded", "paid": True,
            "amount": {"value": "1.00", "currency": "RUB"},
            "recipient": {"account_id": account_of(town, gateway, FISCAL)},
        }}  # fmt: skip
    else:
        told = {"TerminalKey": account_of(town, gateway, FISCAL), "OrderId": "x", "Success": True,
                "Status": "CONFIRMED", "PaymentId": reference, "ErrorCode": "0", "Amount": 100,
                "Token": "0" * 64}  # fmt: skip
    wire = httpx.AsyncHTTPTransport(local_address=_STRANGER, verify=False)
    async with httpx.AsyncClient(transport=wire, timeout=5) as stranger:
        answer = await stranger.post(f"{town.web_url}/webhooks/{gateway}/{FISCAL}", json=told)
    if answer.is_success:
        raise AssertionError(f"a stranger was believed at {gateway}: {answer.status_code}")
    chronicle.counts[f"a stranger's notification at {gateway}"] += 1


async def compared(storm: Any, ends: Counter[str]) -> list[Breach]:
    """Somebody works the cases: at YooKassa what failed is sent again, at T-Bank it is made by
    hand. Then nothing waits, and the books are laid side by side."""
    town = storm.town
    for _ in range(3):
        wanting = await town.rows(_WANTING)
        for row in wanting:
            await _worked(town, row, ends)
        await storm.settle()
        if not wanting:
            break
    return await _breaches(town, ends)


async def _worked(town: Any, row: Any, ends: Counter[str]) -> None:
    context, merchant = town.context, town.world.known.merchants[FISCAL]
    try:
        if row["gateway"] == "yookassa":
            wish = Correction(contact="ivan@example.com")
            await receipt_corrections.send_again(context, COMMAND_LINE, merchant, row["id"], wish)
            ends["receipts sent again by a person"] += 1
        else:
            await receipt_corrections.made_by_hand(
                context, COMMAND_LINE, merchant, row["id"], str(row["id"])
            )  # fmt: skip
            ends["receipts made by hand"] += 1
    except ReceiptRefusedError as refusal:
        ends[f"receipts that a person leaves: {refusal.code}"] += 1


async def _breaches(town: Any, ends: Counter[str]) -> list[Breach]:
    books = await town.ask("GET", "/books")
    theirs: Counter[tuple[str, str]] = Counter()
    money: Counter[tuple[str, str]] = Counter()
    for gateway in GATEWAYS:
        account = account_of(town, gateway, FISCAL)
        for payment in books[gateway]["payments"]:
            if payment["account_id"] == account:
                money[payment["reference"], "payment"] = payment["captured"]
                money[payment["reference"], "refund"] = payment["refunded"]
        for receipt in books[gateway]["receipts"]:
            if receipt["status"] == "succeeded":
                theirs[await _payment(town, receipt), receipt["kind"]] += receipt["amount"]
                ends[f"{receipt['kind']} receipts registered at {gateway}"] += 1
    for row in await town.rows(_HANDED_OVER, list(GATEWAYS)):
        if (row["payment"], "payment") in money:
            money[row["payment"], "closing"] = row["n"]
    by_hand: Counter[tuple[str, str]] = Counter()
    ours: Counter[tuple[str, str]] = Counter()
    for row in await town.rows(_OURS):
        if row["state"] == "registered":
            counted = by_hand if row["by_hand"] else ours
            counted[row["payment"], row["kind"]] += row["amount_minor"]
    return unequal(Fiscal(money, theirs, by_hand, ours), ends)


class Fiscal(NamedTuple):
    """In minor units, by the gateway's payment and the kind of receipt."""

    money: Counter[tuple[str, str]]  # captured, given back, handed over of a prepayment
    theirs: Counter[tuple[str, str]]  # registered, by the gateways' own books
    by_hand: Counter[tuple[str, str]]  # noted by a person as made elsewhere
    ours: Counter[tuple[str, str]]  # registered, by what we say


def unequal(books: Fiscal, ends: Counter[str]) -> list[Breach]:
    """What was registered is the money, to the kopeck; less only by what a person made by hand."""
    money, theirs, by_hand, ours = books
    found = [
        Breach(f"{key[1]}: a receipt of no money", key[0], str(minor))
        for key, minor in theirs.items()
        if key not in money
    ]
    for key, due in money.items():
        why = json.dumps({"money": due, "registered": theirs[key], "by hand": by_hand[key],
                          "we say": ours[key]})  # fmt: skip
        if theirs[key] > due:
            found.append(Breach(f"{key[1]}: more receipts than money", key[0], why))
        elif theirs[key] + by_hand[key] < due:
            found.append(Breach(f"{key[1]}: money without a receipt", key[0], why))
        elif ours[key] > theirs[key]:
            found.append(Breach(f"{key[1]}: we say registered, and it is not", key[0], why))
        else:
            ends[f"{key[1]}: money and receipts are equal"] += bool(due)
    return found


async def _payment(town: Any, receipt: dict[str, Any]) -> str:
    """Of a refund's receipt at YooKassa, the payment."""
    if receipt["payment"]:
        return str(receipt["payment"])
    rows = await town.rows(
        "SELECT c.gateway_payment_id FROM refunds r JOIN captures c ON c.id = r.capture_id"
        " WHERE r.gateway_refund_id = $1", receipt["refund"],
    )  # fmt: skip
    return str(rows[0]["gateway_payment_id"]) if rows else ""
