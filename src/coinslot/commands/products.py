"""`coinslot products`: what merchants sell, and the prices that new slots get."""

from typing import Annotated
from uuid import UUID

import typer
from msgspec import UNSET
from rich.markup import escape

from coinslot.app.server import RunningServer
from coinslot.catalog import products
from coinslot.catalog.products import Product, ProductChange, UnknownProductError
from coinslot.commands.terms import Data, console, fail, installed, run_on_server
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError, UnknownCurrencyError
from coinslot.merchants.merchants import merchant_named

cli = typer.Typer(
    no_args_is_help=True, help="What merchants sell, and the prices that new slots get."
)

Merchant = Annotated[str, typer.Argument(help="The merchant's slug.")]
Sku = Annotated[str, typer.Argument(help="Its short name, one among the merchant's.")]
Name = Annotated[str, typer.Option(help="As customers read it.")]
NewName = Annotated[str | None, typer.Option("--name", help="As customers read it.")]
Price = Annotated[str, typer.Option(help="With its currency: 40 INR, or 40.00 INR.")]
NewPrice = Annotated[
    str | None,
    typer.Option("--price", help="With its currency: 40 INR. Slots keep the prices they have."),
]
Cost = Annotated[str | None, typer.Option(help="What it costs you, as the price is written.")]
_PAGE = 500


@cli.command("list", epilog="Example: `coinslot products list asha`")
def show(merchant: Merchant, data: Data = None) -> None:
    """List a merchant's products by their short names."""

    async def ask(server: RunningServer) -> None:
        owner, after = await _owner(server, merchant), None
        while True:
            async with server.db.as_merchant(owner) as conn:
                page = await products.products(conn, owner, after, _PAGE)
            for product in page:
                _say(product)
            if len(page) < _PAGE:
                return
            after = page[-1].sku

    run_on_server(ask, installed(data))


@cli.command(
    "add", epilog="Example: `coinslot products add asha cola --name 'Masala cola' --price '40 INR'`"
)
def add(  # noqa: PLR0913  the options of a command
    merchant: Merchant, sku: Sku, name: Name, price: Price, cost: Cost = None, data: Data = None
) -> None:
    """Add a product; one with this short name stays as it is."""
    money = _money(price)
    cost_minor = 0 if cost is None else _money(cost, money.currency).minor

    async def make(server: RunningServer) -> None:
        owner = await _owner(server, merchant)
        product = Product(
            id=uuid7(server.clock.now()), sku=sku, name=name, price=money, cost_minor=cost_minor
        )
        async with server.db.as_merchant(owner) as conn:
            made = await products.add_product(conn, owner, product)
        console.print(
            f"{sku} {'is here' if made == product.id else 'was here already'}", highlight=False
        )

    run_on_server(make, installed(data))


@cli.command("edit", epilog="Example: `coinslot products edit asha cola --price '44 INR'`")
def edit(  # noqa: PLR0913  the options of a command
    merchant: Merchant,
    sku: Sku,
    name: NewName = None,
    price: NewPrice = None,
    cost: Cost = None,
    data: Data = None,
) -> None:
    """Change a product's name, its price for new slots, or its cost."""
    money = None if price is None else _money(price)
    change = ProductChange(
        name=UNSET if name is None else name,
        price=UNSET if money is None else money,
        cost_minor=UNSET
        if cost is None
        else _money(cost, None if money is None else money.currency).minor,
    )

    async def make(server: RunningServer) -> None:
        owner = await _owner(server, merchant)
        try:
            async with server.db.as_merchant(owner) as conn:
                _say(await products.edit_product(conn, owner, sku, change))
        except UnknownProductError as error:
            fail(str(error))

    run_on_server(make, installed(data))


def _money(text: str, currency: str | None = None) -> Money:
    """An amount with its currency behind it, or in the one that is known."""
    amount, _, named = text.strip().rpartition(" ")
    try:
        money = Money.typed(text, currency) if currency else Money.typed(amount, named.upper())
    except (MoneyTextError, MoneyRangeError, UnknownCurrencyError) as error:
        raise typer.BadParameter(f"write {text!r} like 40 INR or 40.00 INR: {error}") from error
    if money.minor <= 0:
        raise typer.BadParameter(f"{text!r} is no price")
    return money


async def _owner(server: RunningServer, slug: str) -> UUID:
    found = await merchant_named(server.db, slug)
    if found is None:
        fail(f"there is no merchant {slug}")
    return found


def _say(product: Product) -> None:
    cost = Money(product.cost_minor, product.price.currency)
    console.print(
        escape(f"{product.sku}  {product.name}  {product.price}  costs {cost}"),
        highlight=False,
        soft_wrap=True,
    )
