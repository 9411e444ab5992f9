"""The fields of an item of a menu, as its form has them."""

from collections.abc import Mapping

from coinslot.console.forms import Form
from coinslot.counter import hours_text, menu_file
from coinslot.counter.basket import OPTION_ID, Choice, Option
from coinslot.counter.editing import Edited
from coinslot.counter.hours import WeekInterval
from coinslot.counter.hours_text import HoursTextError
from coinslot.counter.menu import Live, MenuItem, WantedItem
from coinslot.counter.menu_file import CHOICES, GROUPS, MINUTES, STATION
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError, plain
from coinslot.kit.numbers import whole

_NAME, _TEXT, _STOCK = 100, 300, 6
_LEFT_MOST = 10**_STOCK - 1
_OUT = "-"  # what a form showed of a choice that is out
ALLERGENS = 100  # of a choice


class FieldsError(ValueError):
    """A field cannot be used; `text` names why."""

    def __init__(self, text: str, about: str = "") -> None:
        super().__init__(about or text)
        self.text = text
        self.about = about

    def said(self, texts: Mapping[str, str]) -> str:
        return texts[self.text].format(about=self.about)


def item_of_form(form: Form, currency: str, before: MenuItem | None) -> Edited:
    """What was typed, with what was left of it when the form was made. Raises FieldsError."""
    name = form.one("name", _NAME)
    if not name:
        raise FieldsError("problem_menu_name")
    minutes = _number(form.one("minutes", _STOCK), "problem_menu_minutes") or 0
    if minutes > MINUTES:
        raise FieldsError("problem_menu_minutes")
    item = WantedItem(
        sku=before.sku if before else "", name=name, section=form.one("section", _NAME),
        description=form.one("text", _TEXT), price=_amount(form, "price", currency),
        cost=_amount(form, "cost", currency, empty=0), tax_bp=typed_percent(form.one("tax", 6)),
        stock=_number(form.one("stock", _STOCK), "problem_menu_stock"),
        allergens=tuple(a.strip() for a in form.one("allergens", 300).split(",") if a.strip()),
        options=_options(form, currency), prep_min=minutes,
        station=form.one("station", STATION),
        hours=_hours(form, before),
    )  # fmt: skip
    return Edited(item=item, shown=_shown(form.one("shown", 4000)))


def typed_percent(text: str) -> int:
    """Basis points. Raises FieldsError."""
    bare = text.strip(" %").replace(",", ".")
    if bare and not menu_file.TAX.fullmatch(bare):
        raise FieldsError("problem_menu_tax", text)
    return menu_file.basis_points(bare)


def shown_text(item: MenuItem | None) -> str:
    """For a hidden field: what was left when the form was made."""
    if item is None:
        return ""
    left = [f"={'' if item.left is None else item.left}"]
    left += [
        f"{choice.id}={choice.left}"
        for option in item.options for choice in option.choices if choice.left is not None
    ]  # fmt: skip
    left += [
        f"{choice.id}={_OUT}"
        for option in item.options for choice in option.choices if not choice.available
    ]  # fmt: skip
    return ";".join(left)


def _shown(text: str) -> Live:
    pairs = [part.partition("=")[::2] for part in text.split(";") if part]
    out = frozenset(name for name, left in pairs if left == _OUT)
    numbers = [(name, whole(left, _LEFT_MOST)) for name, left in pairs]
    found = {name: left for name, left in numbers if left is not None}
    return Live(stock=found.pop("", None), choices=found, out=out)


def _hours(form: Form, before: MenuItem | None) -> tuple[WeekInterval, ...]:
    """Of every day. Those that differ by day come from a table, and stay until others are typed."""
    opens, closes = form.one("from", 5), form.one("to", 5)
    if not opens and not closes:
        kept = before is not None and form.one("by_day") == "1"
        return before.hours if before is not None and kept else ()
    try:
        return hours_text.week(f"{opens}-{closes}")
    except HoursTextError:
        raise FieldsError("problem_menu_hours") from None


def _options(form: Form, currency: str) -> tuple[Option, ...]:
    used = {form.one(f"g{g}_c{c}_id", 40) for g in range(GROUPS) for c in range(CHOICES)}
    used |= {form.one(f"g{g}_id", 40) for g in range(GROUPS)}
    found = []
    for g in range(GROUPS):
        name = form.one(f"g{g}_name", _NAME)
        choices = [
            _choice(form, f"g{g}_c{c}", currency, used)
            for c in range(CHOICES) if form.one(f"g{g}_c{c}_name", _NAME)
        ]  # fmt: skip
        if not name and not choices:
            continue
        least, most, free = (
            _number(form.one(f"g{g}_{field}", 2), "problem_menu_option") or 0
            for field in ("min", "max", "free")
        )
        most = most or 1
        if not name or not choices or not least <= most <= len(choices) or free > most:
            raise FieldsError("problem_menu_option", name or "…")
        found.append(
            Option(
                id=_id(form, f"g{g}", name, used), name=name,
                min=least, max=most, free=free, choices=tuple(choices),
            )
        )  # fmt: skip
    return tuple(found)


def _choice(form: Form, field: str, currency: str, used: set[str]) -> Choice:
    name = form.one(f"{field}_name", _NAME)
    typed = form.one(f"{field}_price", 20)
    sign = -1 if typed[:1] in ("-", "\u2212") else 1
    bare = typed.lstrip("+-\u2212 ")
    try:
        price = sign * Money.parse(plain(bare), currency).minor if bare else 0
    except (MoneyTextError, MoneyRangeError):
        raise FieldsError("problem_menu_choice", name) from None
    try:
        stock = menu_file.stock_name(form.one(f"{field}_stock", 60))
    except ValueError:
        raise FieldsError("problem_menu_shared", name) from None
    return Choice(
        id=_id(form, field, name, used), name=name, price=price,
        available=form.one(f"{field}_gone") != "1", stock=stock,
        allergens=_allergens(form.one(f"{field}_allergens", ALLERGENS), name),
        left=_number(form.one(f"{field}_left", _STOCK), "problem_menu_stock"),
    )  # fmt: skip


def _allergens(text: str, of_choice: str) -> tuple[str, ...]:
    """As a table can hold them. Raises FieldsError."""
    if any(mark in text for mark in "{}/;()"):
        raise FieldsError("problem_menu_choice_allergens", of_choice)
    return tuple(a.strip() for a in text.split(",") if a.strip())


def _id(form: Form, field: str, name: str, used: set[str]) -> str:
    """The one that it has, or a new one."""
    kept = form.one(f"{field}_id", 40)
    return kept if OPTION_ID.fullmatch(kept) else menu_file.short_id(name, used)


def _amount(form: Form, field: str, currency: str, empty: int | None = None) -> int:
    typed = form.one(field, 40)
    if not typed and empty is not None:
        return empty
    try:
        amount: int = Money.typed(typed, currency).minor
    except (MoneyTextError, MoneyRangeError):
        raise FieldsError("problem_menu_price", typed) from None
    return amount


def _number(text: str, problem: str) -> int | None:
    if not text:
        return None
    found = whole(text)
    if found is None:
        raise FieldsError(problem, text)
    return found
