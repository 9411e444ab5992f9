"""The sandbox's own interface for people and tests: books, weather, machines and their faults."""

from typing import Any

from litestar import get, post

from sandbox import odd, weather
from sandbox.machines import Faults, Machines
from sandbox.party import Outsider
from sandbox.store import Store
from sandbox.weather import Weather

Plain = dict[str, Any]


@get("/books.json")
async def books(store: Store, outsiders: list[Outsider]) -> Plain:
    """Everybody's own truth, in minor units; `/books` answers the same to programs."""
    return books_of(store, outsiders)


def books_of(store: Store, outsiders: list[Outsider]) -> Plain:
    with store.read() as look:
        return {outsider.name: outsider.book(look) for outsider in outsiders}


@get("/weather")
async def read_weather(store: Store) -> Weather:
    with store.read() as look:
        return weather.current(look)


@post("/weather", status_code=200)
async def change_weather(data: Plain, store: Store) -> Weather:
    """Merge the named parts; answer the whole."""
    with store.change() as change:
        return weather.merge(change, data)


@post("/odd", status_code=200)
async def tell_odd(data: Plain, store: Store) -> Plain:
    """A genuine event that is not the server's to act on: of which gateway, account, and which."""
    with store.change() as change:
        name = odd.tell(
            change, str(data["party"]), str(data["account_id"]), int(data.get("number", 0))
        )
    return {"event": name}


@get("/machines/{outlet:str}/journal")
async def journal(outlet: str, machines: Machines) -> list[Plain]:
    return machines.journal(outlet)


@get("/machines/{outlet:str}/state")
async def state(outlet: str, machines: Machines) -> Plain:
    return machines.state(outlet)


@get("/machines/{outlet:str}/fault")
async def faults(outlet: str, machines: Machines) -> Faults:
    return machines.faults(outlet)


@post("/machines/{outlet:str}/fault", status_code=200)
async def break_machine(outlet: str, data: Plain, machines: Machines) -> Faults:
    """Merge the named faults; answer all."""
    return machines.break_it(outlet, data)


ENDPOINTS = [books, read_weather, change_weather, tell_odd, journal, state, faults, break_machine]
