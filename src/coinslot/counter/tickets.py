"""What stands on a kitchen ticket, a receipt, a credit note, and a ticket of what was cancelled.
Never the code that hands an order over: whoever finds a ticket could have it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
from babel.dates import format_date, format_time
from babel.numbers import format_currency

from coinslot.counter.menu_file import by_rate
from coinslot.counter.paper import HUGE, LARGE, SMALL, Row
from coinslot.kit.money import Money

COPY: Final = " COPY"  # what the code of a copy ends with
_NOTE_PX: Final = 36
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "cancelled": "CANCELLED", "copy": "COPY", "receipt": "Receipt", "total": "Total",
        "discount": "Discount", "tip": "Tip", "delivery_fee": "Delivery", "added_tax": "Tax",
        "tax": "Included tax",
        "back": "Money back", "at": "for {time}", "spot": "Table {spot}", "paid": "Paid {time}",
        "test": "This printer works", "till": "Paid at the till {time}",
        "credit": "Credit note", "void": "VOID", "corrects": "Corrects receipt {number}",
        "order": "Order {number}", "given": "Given back", "tax_at": "Tax at {rate} %",
    },
    "hi": {
        "cancelled": "रद्द", "copy": "प्रति", "receipt": "रसीद", "total": "कुल", "tip": "टिप",
        "discount": "छूट",
        "delivery_fee": "डिलीवरी", "added_tax": "कर", "tax": "शामिल कर", "back": "पैसा वापस",
        "at": "{time} के लिए", "spot": "टेबल {spot}", "paid": "भुगतान {time}",
        "test": "यह प्रिंटर चल रहा है",
        "till": "काउंटर पर भुगतान {time}", "credit": "क्रेडिट नोट", "void": "अमान्य",
        "corrects": "रसीद {number} का सुधार", "order": "ऑर्डर {number}", "given": "लौटाया",
        "tax_at": "{rate} % कर",
    },
    "ru": {
        "cancelled": "ОТМЕНЕНО", "copy": "КОПИЯ", "receipt": "Чек", "total": "Итого",
        "discount": "Скидка",
        "tip": "Чаевые", "delivery_fee": "Доставка", "added_tax": "Налог",
        "tax": "В том числе налог", "back": "Возврат", "at": "к {time}", "spot": "Стол {spot}",
        "paid": "Оплачено {time}", "test": "Принтер работает",
        "till": "Оплачено на кассе {time}", "credit": "Кредит-нота", "void": "НЕДЕЙСТВИТЕЛЬНА",
        "corrects": "К чеку {number}", "order": "Заказ {number}", "given": "Возвращено",
        "tax_at": "Налог {rate} %",
    },
}  # fmt: skip


class Ticket:
    """One job and what it is about: rows of `printing.JOB`, of its pieces, and of the order's
    extras."""

    def __init__(
        self, job: asyncpg.Record, pieces: Sequence[asyncpg.Record],
        extras: Sequence[asyncpg.Record], zone: ZoneInfo,
    ) -> None:  # fmt: skip
        self._job, self._pieces, self._extras, self._zone = job, pieces, extras, zone
        language = (job["language"] or "en").split("-")[0]
        self._language = language if language in _WORDS else "en"
        self._words = _WORDS[self._language]

    @property
    def code(self) -> str:
        """What its QR code says: the order's number, which opens nothing."""
        if self._job["number"] is None:
            return ""
        return str(self._job["number"]) + (COPY if self._job["copy"] else "")

    def rows(self) -> list[Row]:
        """From top to bottom."""
        job, made_at = self._job, self._job["created_at"]
        rows = [Row(text=job["outlet"], end=self._hour(made_at), size=SMALL)]
        if job["kind"] == "test":
            return [*rows, Row(text=job["printer"], size=LARGE, bold=True),
                    Row(text=self._words["test"])]  # fmt: skip
        if job["copy"]:
            rows.append(Row(text=self._words["copy"], size=LARGE, bold=True, turned=True))
        if job["kind"] == "credit":
            return [*rows, *self._credit()]
        if job["kind"] == "cancelled":
            rows.append(Row(text=self._words["cancelled"], size=LARGE, bold=True, turned=True))
        rows += self._whose()
        rows.append(Row(rule=True))
        rows += self._bill() if job["kind"] == "receipt" else self._dishes()
        rows.append(Row(rule=True))
        how = "paid" if job["walk_in_id"] is None else "till"
        paid = self._words[how].format(time=self._hour(job["paid_at"]))
        day = format_date(self._local(job["paid_at"]), "d MMM y", locale=self._language)
        return [*rows, Row(text=f"{paid}, {day}", size=SMALL)]

    def _whose(self) -> list[Row]:
        job = self._job
        rows = [Row(text=job["number"], size=HUGE, bold=True)]
        if job["name"]:
            rows.append(Row(text=job["name"], size=LARGE, bold=True))
        if job["spot"]:
            rows.append(Row(text=self._words["spot"].format(spot=job["spot"]), size=LARGE))
        if job["wanted_at"] is not None:
            at = self._words["at"].format(time=self._hour(job["wanted_at"]))
            rows.append(Row(text=at, size=LARGE, bold=True))
        return rows

    def _dishes(self) -> list[Row]:
        """What is to be made: one line for what is alike."""
        if self._job["walk_in_id"] is not None:
            return self._entered()
        rows = []
        for _, group in groupby(self._pieces, key=lambda piece: piece["line_id"]):
            pieces = list(group)
            rows.append(Row(text=f"{len(pieces)} × {_dish(pieces[0])}", size=LARGE, bold=True))
            for choice in pieces[0]["options"]:
                rows.append(Row(text=str(choice["name"]), size=_NOTE_PX, indent=36))
            if pieces[0]["note"]:
                rows.append(Row(text=f"» {pieces[0]['note']}", size=_NOTE_PX, bold=True, indent=36))
        return rows

    def _entered(self) -> list[Row]:
        """What staff entered, as far as this printer's stations make it."""
        rows, stations = [], self._job["stations"]
        for line in self._job["walk_in_lines"]:
            if stations and line["station"] not in stations:
                continue
            name = str(line["name"])
            rows.append(Row(text=f"{line['quantity']} × {name}", size=LARGE, bold=True))
            for choice in line["choices"]:
                rows.append(Row(text=str(choice), size=_NOTE_PX, indent=36))
            if line["note"]:
                rows.append(Row(text=f"» {line['note']}", size=_NOTE_PX, bold=True, indent=36))
        return rows

    def _bill(self) -> list[Row]:
        rows, kept = [Row(text=self._words["receipt"], size=LARGE, bold=True)], self._pieces
        for _, group in groupby(kept, key=lambda piece: piece["line_id"]):
            pieces = list(group)
            amount = sum(piece["price_minor"] for piece in pieces)
            rows.append(Row(text=f"{len(pieces)} × {pieces[0]['name']}", end=self._money(amount)))
        if off := sum(piece["price_minor"] - piece["amount_minor"] for piece in kept):
            rows.append(Row(text=self._words["discount"], end=self._money(-off)))
        for extra in self._extras:
            name = self._words[extra["kind"]]
            rows.append(Row(text=name, end=self._money(extra["amount_minor"])))
        total = sum(piece["amount_minor"] for piece in kept)
        total += sum(extra["amount_minor"] for extra in self._extras)
        rows.append(Row(text=self._words["total"], end=self._money(total), size=LARGE, bold=True))
        back = sum(p["amount_minor"] for p in kept if p["settlement"] == "refund_due")
        if back:
            rows.append(Row(text=self._words["back"], end=self._money(-back)))
        if tax := sum(p["tax_minor"] for p in kept if p["settlement"] != "refund_due"):
            rows.append(Row(text=self._words["tax"], end=self._money(tax), size=SMALL))
        return rows

    def _credit(self) -> list[Row]:
        """What a refund corrects: of a piece, of an extra, or of the whole."""
        job, words = self._job, self._words
        void = [Row(text=words["void"], size=LARGE, bold=True, turned=True)]
        rows = void if job["void_at"] is not None else []
        rows.append(Row(text=words["credit"], size=LARGE, bold=True))
        rows.append(Row(text=job["credit"], size=LARGE, bold=True))
        if job["corrects"]:
            rows.append(Row(text=words["corrects"].format(number=job["corrects"])))
        rows += [Row(text=words["order"].format(number=job["number"])), Row(rule=True)]
        rows += [Row(text=str(piece["name"])) for piece in self._pieces]
        if job["extra"]:
            rows.append(Row(text=words[job["extra"]]))
        given = self._money(job["credited"])
        rows.append(Row(text=words["given"], end=given, size=LARGE, bold=True))
        for rate, minor in by_rate(job["taxes"]):
            text = words["tax_at"].format(rate=rate)
            rows.append(Row(text=text, end=self._money(minor), size=SMALL))
        at = job["credited_at"]
        day = format_date(self._local(at), "d MMM y", locale=self._language)
        rows += [Row(rule=True), Row(text=job["merchant"], size=SMALL)]
        return [*rows, Row(text=f"{self._hour(at)}, {day}", size=SMALL)]

    def _money(self, minor: int) -> str:
        money = Money(minor, self._job["currency"])
        return format_currency(money.decimal(), money.currency, locale=self._language)

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self._zone)

    def _hour(self, at: datetime) -> str:
        return format_time(self._local(at), "HH:mm", locale=self._language)


def _dish(piece: Mapping[str, Any] | asyncpg.Record) -> str:
    """Its name without the choices, which stand below it."""
    name = str(piece["name"])
    return name.partition(" (")[0] if piece["options"] else name
