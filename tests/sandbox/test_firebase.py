"""The emulated Realtime Database, judged by Firebase's own client over a real socket."""

import queue
import threading
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import quote

import firebase_admin  # type: ignore[import-untyped]
import httpx
import pytest
from firebase_admin import db, exceptions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.running import SandboxProcess

names = count(1)


@pytest.fixture
def url(sandbox: SandboxProcess) -> Iterator[str]:
    """The URL of a database of this test alone, and the client's default."""
    address = f"{sandbox.base_url}/?ns=shop{next(names)}"
    options = {"databaseURL": address, "httpTimeout": 5}
    app = firebase_admin.initialize_app(options=options)
    yield address
    firebase_admin.delete_app(app)


def test_clients_find_it_by_the_variable_for_emulators(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIREBASE_DATABASE_EMULATOR_HOST", f"127.0.0.1:{sandbox.port}")
    name = f"shop{next(names)}"
    options = {"databaseURL": f"https://{name}.firebaseio.com"}
    app = firebase_admin.initialize_app(options=options)
    db.reference("a").set(1)
    assert sandbox.ask("GET", "/firebase")[name] == 1
    firebase_admin.delete_app(app)


def ask(url: str, method: str, path: str, **more: Any) -> httpx.Response:
    """A request as curl would make it."""
    base, _, name = url.partition("/?ns=")
    params = {"ns": name, **more.pop("params", {})}
    headers = {"Authorization": "Bearer owner", **more.pop("headers", {})}
    return httpx.request(method, f"{base}{path}", params=params, headers=headers, **more)


def test_what_was_set_is_read_until_it_is_deleted(url: str) -> None:
    order = db.reference("orders/o1")
    order.set({"status": "PAID", "amount": 4000, "dispatchPending": True, "paid": None})

    assert order.get() == {"status": "PAID", "amount": 4000, "dispatchPending": True}
    assert db.reference("orders").get(shallow=True) == {"o1": True}
    assert db.reference("orders/o1/amount").get() == 4000
    order.delete()
    assert db.reference("orders").get() is None


def test_an_update_of_several_paths_replaces_each_node_and_no_neighbour(url: str) -> None:
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


def test_an_update_with_a_path_below_another_changes_nothing(url: str) -> None:
    with pytest.raises(exceptions.InvalidArgumentError):
        db.reference().update({"fine": 1, "orders": {"o1": 1}, "orders/o1": 2})
    assert db.reference().get() is None


def test_pushed_children_come_back_in_the_order_in_which_they_were_pushed(url: str) -> None:
    keys = [db.reference("log").push(f"line {number}").key for number in range(20)]

    assert all(key is not None and len(key) == 20 for key in keys)
    assert keys == sorted(str(key) for key in keys)
    found = db.reference("log").order_by_key().get()
    assert list(found.values()) == [f"line {number}" for number in range(20)]


def test_a_tag_guards_a_node_against_the_writes_of_others(url: str) -> None:
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


def test_dense_numbers_come_back_as_a_list_and_sparse_ones_do_not(url: str) -> None:
    db.reference("dense").set({"1": "a", "2": "b"})
    db.reference("sparse").set({"1": "a", "9": "b"})

    assert db.reference("dense").get() == [None, "a", "b"]
    assert db.reference("sparse").get() == {"1": "a", "9": "b"}


def test_children_are_found_by_value_within_limits(url: str) -> None:
    orders = db.reference("orders")
    orders.set({f"o{n}": {"amount": n * 10, "state": "even" if n % 2 == 0 else "odd"}
                for n in range(6)})  # fmt: skip

    assert list(orders.order_by_child("state").equal_to("even").get()) == ["o0", "o2", "o4"]
    last = orders.order_by_child("amount").start_at(20).limit_to_last(2).get()
    assert list(last) == ["o4", "o5"]
    assert list(orders.order_by_key().end_at("o1").get()) == ["o0", "o1"]


def test_a_key_that_cannot_be_is_refused_in_its_own_words(url: str) -> None:
    answer = ask(url, "PUT", "/orders.json", json={"a.b": 1})
    assert answer.status_code == 400
    assert "valid key names" in answer.json()["error"]
    for body in (b"{", b"[1]"):
        assert ask(url, "PATCH", "/orders.json", content=body).status_code == 400
    assert ask(url, "PATCH", "/.json", json={"a#b/c": 1}).status_code == 400
    assert ask(url, "GET", "/a$b.json").status_code == 400
    assert db.reference().get() is None


def test_who_is_nobody_is_not_let_in(url: str) -> None:
    nobody = {"Authorization": ""}
    answer = ask(url, "GET", "/orders.json", headers=nobody)
    assert (answer.status_code, answer.json()) == (401, {"error": "Permission denied"})
    assert ask(url, "GET", "/a.json", headers={"Authorization": "Bearer x"}).status_code == 401


def test_answers_are_as_long_as_was_asked_for(url: str) -> None:
    assert ask(url, "PUT", "/a.json", json={"b": 1}).json() == {"b": 1}
    silent = ask(url, "PATCH", "/a.json", json={"c": 2}, params={"print": "silent"})
    assert (silent.status_code, silent.content) == (204, b"")
    assert ask(url, "GET", "/a.json", params={"print": "pretty"}).text.count("\n") > 2
    assert ask(url, "DELETE", "/a.json").text == "null"


def test_the_server_fills_in_its_time_and_counts(url: str) -> None:
    ask(url, "PUT", "/a.json", json={"at": {".sv": "timestamp"}, "n": 4})
    ask(url, "PATCH", "/a.json", json={"n": {".sv": {"increment": 3}}})

    found = db.reference("a").get()
    assert found["n"] == 7
    assert found["at"] > 1_600_000_000_000


def test_the_tree_outlives_kill_9(url: str, sandbox: SandboxProcess) -> None:
    db.reference("orders/o1/status").set("PAID")
    sandbox.kill()
    sandbox.start()

    assert db.reference("orders").get() == {"o1": {"status": "PAID"}}


def test_the_weather_is_the_same_as_at_the_gateways(url: str, sandbox: SandboxProcess) -> None:
    sandbox.weather(api={"drop_response": 1})
    with pytest.raises(httpx.HTTPError):
        ask(url, "PUT", "/cut.json", json=1)
    sandbox.weather(api={"drop_response": 0, "error_5xx": 1}, seed=1)
    answers = [ask(url, "PUT", f"/late/n{n}.json", json=1).status_code for n in range(20)]
    sandbox.weather(api={"error_5xx": 0})

    assert ask(url, "GET", "/cut.json").json() == 1  # done, and nobody was told
    assert all(status >= 500 for status in answers)
    assert 5 <= len(ask(url, "GET", "/late.json").json()) <= 15


# The client's thread dies of its own closing.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_listens_hears_of_each_change_at_the_node_below_and_above_it(url: str) -> None:
    db.reference("orders/o1").set({"status": "PAID"})
    heard: queue.Queue[tuple[str, str, Any]] = queue.Queue()
    listening = db.reference("orders").listen(
        lambda event: heard.put((event.event_type, event.path, event.data))
    )
    assert heard.get(timeout=5) == ("put", "/", {"o1": {"status": "PAID"}})
    db.reference("machines/M1/status").set("BUSY")  # another branch
    db.reference("orders/o1/status").set("COMPLETED")
    assert heard.get(timeout=5) == ("put", "/o1/status", "COMPLETED")
    db.reference("orders/o1").update({"dispatch": "DONE", "status": None})
    assert heard.get(timeout=5) == ("patch", "/o1", {"dispatch": "DONE", "status": None})
    db.reference().update({"orders/o2": {"status": "PAID"}, "machines/M1": None})
    assert heard.get(timeout=5) == ("put", "/o2", {"status": "PAID"})
    db.reference("orders/o1").delete()
    assert heard.get(timeout=5) == ("put", "/o1", None)
    db.reference("/").set({"orders": 3})
    assert heard.get(timeout=5) == ("put", "/", 3)
    pushed = db.reference("orders").push("new")
    assert heard.get(timeout=5) == ("put", f"/{pushed.key}", "new")
    closing = threading.Thread(target=listening.close)
    closing.start()  # the client sees that it was closed when it next hears something
    while closing.is_alive():
        db.reference("orders").push("last")
        closing.join(0.2)


KEYS = st.text("abz019_-~ é", min_size=1, max_size=3)
PLAIN = st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
TREES = st.recursive(PLAIN, lambda inner: st.dictionaries(KEYS, inner, min_size=1), max_leaves=8)
KEPT = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def as_object(value: Any) -> Any:
    """With the lists taken back that dense numbers come as."""
    if isinstance(value, list):
        value = {str(place): item for place, item in enumerate(value) if item is not None}
    if isinstance(value, dict):
        return {key: as_object(item) for key, item in value.items()}
    return value


@KEPT
@given(first=TREES, second=TREES, path=st.lists(KEYS, max_size=3))
def test_what_was_put_is_what_is_read_whatever_was_there(
    url: str, first: Any, second: Any, path: list[str]
) -> None:
    place = "/" + "".join(f"{quote(key)}/" for key in path).rstrip("/") + ".json"
    ask(url, "PUT", "/.json", json=first)
    ask(url, "PUT", place, json=second)

    assert as_object(ask(url, "GET", place).json()) == second


_FLOATS = st.floats(allow_nan=False, allow_infinity=False)  # JSON has no others
ABSURD = st.recursive(
    st.none() | st.booleans() | st.integers() | _FLOATS | st.text(max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5) | st.just(".sv"), inner),
    max_leaves=6,
)


@KEPT
@given(
    verb=st.sampled_from(["GET", "PUT", "PATCH", "POST", "DELETE"]),
    path=st.text(max_size=8),
    body=ABSURD,
    params=st.dictionaries(
        st.sampled_from(["orderBy", "startAt", "limitToLast", "shallow", "print"]),
        st.sampled_from(['"a"', '"$key"', "1", "true", "silent", "{", ""]),
        max_size=3,
    ),
)
def test_whatever_is_asked_is_answered_in_its_own_form(
    url: str, verb: str, path: str, body: Any, params: dict[str, str]
) -> None:
    answer = ask(url, verb, f"/{quote(path)}.json", json=body, params=params)
    assert answer.status_code in (200, 204, 400, 404)
    if answer.content:
        answer.json()
