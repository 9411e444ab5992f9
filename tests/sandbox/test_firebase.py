"""The emulated Realtime Database, judged by Firebase's own client over a real socket."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import firebase_admin  # type: ignore[import-untyped]
import httpx
import pytest
from firebase_admin import db, exceptions

from tests.sandbox.running import SandboxProcess

names = count(1)
Reference = db.Reference


@pytest.fixture
def shop(sandbox: SandboxProcess) -> Iterator[str]:
    """The URL of a database of this test alone, and the client's default."""
    url = f"{sandbox.base_url}/?ns=shop{next(names)}"
    options = {"databaseURL": url, "httpTimeout": 5}
    app = firebase_admin.initialize_app(options=options)
    yield url
    firebase_admin.delete_app(app)


def ask(shop: str, method: str, path: str, **more: Any) -> httpx.Response:
    """A request as curl would make it."""
    base, _, name = shop.partition("/?ns=")
    params = {"ns": name, **more.pop("params", {})}
    headers = {"Authorization": "Bearer owner", **more.pop("headers", {})}
    return httpx.request(method, f"{base}{path}", params=params, headers=headers, **more)


def test_what_was_set_is_read_until_it_is_deleted(shop: str) -> None:
    order = db.reference("orders/o1")
    order.set({"status": "PAID", "amount": 4000, "dispatchPending": True, "paid": None})

    assert order.get() == {"status": "PAID", "amount": 4000, "dispatchPending": True}
    assert db.reference("orders").get(shallow=True) == {"o1": True}
    assert db.reference("orders/o1/amount").get() == 4000
    order.delete()
    assert db.reference("orders").get() is None


def test_an_update_of_several_paths_replaces_each_node_and_no_neighbour(shop: str) -> None:
    db.reference().set(
        {"orders": {"o1": {"status": "PAID", "old": 1}}, "machines": {"M1": {"a": 1}}}
    )
    db.reference().update(
        {"orders/o1": {"status": "COMPLETED"}, "machines/M1/status": "IDLE", "machines/M2": None}
    )

    assert db.reference().get() == {
        "orders": {"o1": {"status": "COMPLETED"}},
        "machines": {"M1": {"a": 1, "status": "IDLE"}},
    }


def test_an_update_with_a_path_below_another_changes_nothing(shop: str) -> None:
    with pytest.raises(exceptions.InvalidArgumentError):
        db.reference().update({"fine": 1, "orders": {"o1": 1}, "orders/o1": 2})
    assert db.reference().get() is None


def test_pushed_children_come_back_in_the_order_in_which_they_were_pushed(shop: str) -> None:
    keys = [db.reference("log").push(f"line {number}").key for number in range(20)]

    assert all(key is not None and len(key) == 20 for key in keys)
    assert keys == sorted(str(key) for key in keys)
    found = db.reference("log").order_by_key().get()
    assert list(found.values()) == [f"line {number}" for number in range(20)]


def test_a_tag_guards_a_node_against_the_writes_of_others(shop: str) -> None:
    node = db.reference("stock")
    assert node.get(etag=True) == (None, "null_etag")
    assert node.set_if_unchanged("null_etag", 3)[0] is True
    value, tag = node.get(etag=True)
    assert node.get_if_changed(tag) == (False, None, None)
    node.set(4)

    changed, found, newer = node.set_if_unchanged(tag, 9)
    assert (changed, found) == (False, 4)
    assert node.get_if_changed(tag) == (True, 4, newer)
    assert node.transaction(lambda left: left - 1) == 3
    assert (value, node.get()) == (3, 3)


def test_dense_numbers_come_back_as_a_list_and_sparse_ones_do_not(shop: str) -> None:
    db.reference("dense").set({"1": "a", "2": "b"})
    db.reference("sparse").set({"1": "a", "9": "b"})

    assert db.reference("dense").get() == [None, "a", "b"]
    assert db.reference("sparse").get() == {"1": "a", "9": "b"}


def test_children_are_found_by_value_within_limits(shop: str) -> None:
    orders = db.reference("orders")
    orders.set({f"o{n}": {"amount": n * 10, "state": "even" if n % 2 == 0 else "odd"}
                for n in range(6)})  # fmt: skip

    assert list(orders.order_by_child("state").equal_to("even").get()) == ["o0", "o2", "o4"]
    last = orders.order_by_child("amount").start_at(20).limit_to_last(2).get()
    assert list(last) == ["o4", "o5"]
    assert list(orders.order_by_key().end_at("o1").get()) == ["o0", "o1"]


def test_a_key_that_cannot_be_is_refused_in_its_own_words(shop: str) -> None:
    answer = ask(shop, "PUT", "/orders.json", json={"a.b": 1})
    assert answer.status_code == 400
    assert "valid key names" in answer.json()["error"]
    for body in (b"{", b"[1]"):
        assert ask(shop, "PATCH", "/orders.json", content=body).status_code == 400
    assert ask(shop, "PATCH", "/.json", json={"a#b/c": 1}).status_code == 400
    assert ask(shop, "GET", "/a$b.json").status_code == 400
    assert db.reference().get() is None


def test_who_is_nobody_is_not_let_in(shop: str) -> None:
    nobody = {"Authorization": ""}
    answer = ask(shop, "GET", "/orders.json", headers=nobody)
    assert (answer.status_code, answer.json()) == (401, {"error": "Permission denied"})
    assert ask(shop, "GET", "/a.json", headers={"Authorization": "Bearer x"}).status_code == 401


def test_answers_are_as_long_as_was_asked_for(shop: str) -> None:
    assert ask(shop, "PUT", "/a.json", json={"b": 1}).json() == {"b": 1}
    silent = ask(shop, "PATCH", "/a.json", json={"c": 2}, params={"print": "silent"})
    assert (silent.status_code, silent.content) == (204, b"")
    assert ask(shop, "GET", "/a.json", params={"print": "pretty"}).text.count("\n") > 2
    assert ask(shop, "DELETE", "/a.json").text == "null"


def test_the_server_fills_in_its_time_and_counts(shop: str) -> None:
    ask(shop, "PUT", "/a.json", json={"at": {".sv": "timestamp"}, "n": 4})
    ask(shop, "PATCH", "/a.json", json={"n": {".sv": {"increment": 3}}})

    found = db.reference("a").get()
    assert found["n"] == 7
    assert found["at"] > 1_600_000_000_000


def test_the_tree_outlives_kill_9(shop: str, sandbox: SandboxProcess) -> None:
    db.reference("orders/o1/status").set("PAID")
    sandbox.kill()
    sandbox.start()

    assert db.reference("orders").get() == {"o1": {"status": "PAID"}}


def test_the_weather_is_the_same_as_at_the_gateways(shop: str, sandbox: SandboxProcess) -> None:
    sandbox.weather(api={"drop_response": 1})
    with pytest.raises(httpx.HTTPError):
        ask(shop, "PUT", "/cut.json", json=1)
    sandbox.weather(api={"drop_response": 0, "error_5xx": 1}, seed=1)
    answers = [ask(shop, "PUT", f"/late/n{n}.json", json=1).status_code for n in range(20)]
    sandbox.weather(api={"error_5xx": 0})

    assert ask(shop, "GET", "/cut.json").json() == 1  # done, and nobody was told
    assert all(status >= 500 for status in answers)
    assert 5 <= len(ask(shop, "GET", "/late.json").json()) <= 15
