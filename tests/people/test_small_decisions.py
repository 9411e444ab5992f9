"""Decisions about people and their requests that need no database, each with all of its sides."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from litestar import Response

from coinslot.pages import access, cookies, peer, security
from coinslot.pages.errors import RefusedError
from coinslot.people import first_run, limits, passkeys, resets
from coinslot.people import security as rules
from coinslot.people.authentication import (
    ForbiddenError,
    NotAllowedError,
    NotThereError,
    RuleError,
    SignInError,
    over,
    wrong_credentials,
)
from coinslot.people.limits import TooOftenError
from coinslot.people.passwords import BusyError, WeakPasswordError, acceptable
from coinslot.people.sessions import Proof, from_allowed, is_strong

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HTTPS, HTTP = "https://pay.example", "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (over(), "invalid_token"),
        (wrong_credentials(), "invalid_credentials"),
        (first_run._closed(), "invalid_token"),
        (resets._unknown(), "invalid_token"),
        (passkeys._wrong(), "invalid_passkey"),
        (NotThereError("There is none."), "not_found"),
    ],
)
def test_a_refusal_has_a_code_for_programs_and_a_sentence_for_people(
    refusal: NotAllowedError, code: str
) -> None:
    assert (refusal.code, refusal.details) == (code, {})
    assert str(refusal).endswith(".")
    assert " " in str(refusal)


@pytest.mark.parametrize(
    ("error", "status", "code", "headers"),
    [
        (SignInError("a", "A."), 401, "a", {"WWW-Authenticate": "Bearer"}),
        (ForbiddenError("b", "B."), 403, "b", {}),
        (NotThereError("C."), 404, "not_found", {}),
        (RuleError("d", "D.", {"more": 1}), 422, "d", {}),
        (TooOftenError(7), 429, "too_many_tries", {"Retry-After": "7"}),
        (BusyError("x"), 503, "busy", {"Retry-After": "1"}),
        (WeakPasswordError("x"), 422, "weak_password", {}),
    ],
)
def test_each_refusal_is_answered_with_its_status(
    error: Exception, status: int, code: str, headers: dict[str, str]
) -> None:
    answer = access.refused(error)
    assert (answer.status, answer.code) == (status, code)
    assert dict(answer.headers) == headers
    assert answer.details == getattr(error, "details", {})


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("BEARER abc", "abc"), ("Basic abc", ""),
        ("abc", ""), ("", ""), ("Bearer", ""), ("Bearerabc", ""),
    ],
)  # fmt: skip
def test_a_token_comes_as_a_bearer(header: str, token: str) -> None:
    request: Any = SimpleNamespace(headers={"authorization": header})
    assert access._bearer(request) == token
    none: Any = SimpleNamespace(headers={})
    assert access._bearer(none) == ""


@pytest.mark.parametrize(
    ("age_s", "strongly", "fresh"),
    [(0, True, True), (600, True, True), (600.001, True, False), (0, False, False)],
)
def test_a_proof_is_fresh_for_ten_minutes_with_all_that_someone_has(
    age_s: float, strongly: bool, fresh: bool
) -> None:
    windows = SimpleNamespace(span=lambda name: timedelta(seconds={"step_up_s": 600}[name]))
    auth: Any = SimpleNamespace(now=lambda: NOW, context=SimpleNamespace(windows=windows))
    who: Any = SimpleNamespace(proved_at=NOW - timedelta(seconds=age_s), strongly=strongly)
    if fresh:
        access.Access(auth).must_be_fresh(who)
    else:
        with pytest.raises(RefusedError) as refused:
            access.Access(auth).must_be_fresh(who)
        assert (refused.value.status, refused.value.code) == (403, "step_up_required")


@pytest.mark.parametrize("missing", [True, False])
def test_it_is_said_what_is_missing(missing: bool) -> None:
    who: Any = SimpleNamespace(second_factor_missing=missing)
    answer = access._forbidden("people:write", who)
    assert answer.code == ("second_factor_missing" if missing else "forbidden")
    assert ("people:write" in str(answer.message)) is not missing


@pytest.mark.parametrize(
    ("path", "query", "refused"),
    [("/a", b"b=1", False), ("/a\0", b"", True), ("/a", b"b=%00", True), ("/a", b"b=%01", False)],
)
async def test_an_address_with_a_zero_character_is_refused(
    path: str, query: bytes, refused: bool
) -> None:
    request: Any = SimpleNamespace(scope={"path": path, "query_string": query})
    handler: Any = None
    if not refused:
        return await access.storable(request, handler)
    with pytest.raises(RefusedError) as error:
        await access.storable(request, handler)
    assert (error.value.status, error.value.code) == (400, "bad_request")
    return None


def client(host: str | None) -> Any:
    return SimpleNamespace(client=None if host is None else SimpleNamespace(host=host))


@pytest.mark.parametrize(
    ("host", "network", "address"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2:3:4:5:6"),
        ("fe80::1%eth0", "fe80::/64", "fe80::1"),
        ("::ffff:203.0.113.7", "203.0.113.7", "::ffff:203.0.113.7"),
        ("testclient", "testclient", "testclient"),
        ("", "unknown", "unknown"),
        (None, "unknown", "unknown"),
    ],
)
def test_a_request_comes_from_one_network(host: str | None, network: str, address: str) -> None:
    assert peer.network(client(host)) == network
    assert peer.address(client(host)) == address


def test_networks_are_written_with_commas_and_an_address_is_in_one_of_them() -> None:
    known = peer.networks(" 10.0.0.0/8, ,2001:db8::/32,203.0.113.7 ")
    assert [str(one) for one in known] == ["10.0.0.0/8", "2001:db8::/32", "203.0.113.7/32"]
    for host, is_in in (("10.1.2.3", True), ("203.0.113.7", True), ("203.0.113.8", False),
                        ("2001:db8::1", True), ("x", False), ("", False)):  # fmt: skip
        assert peer.is_one_of(host, known) is is_in
    assert peer.networks("") == ()
    with pytest.raises(ValueError):
        peer.networks("10.0.0.1/8")


# Cookies and the forms of our own pages.


@pytest.mark.parametrize(("base", "name", "secure"), [
    (HTTPS, "__Host-coinslot", True), (HTTP, "coinslot", False),
])  # fmt: skip
def test_a_session_is_in_a_cookie_that_no_script_reads(base: str, name: str, secure: bool) -> None:
    response = Response[Any](content="")
    cookies.put(response, base, "secret", timedelta(hours=1))
    (cookie,) = response.cookies
    assert (cookie.key, cookie.value, cookie.path, cookie.max_age) == (name, "secret", "/", 3600)
    assert (cookie.secure, cookie.httponly, cookie.samesite) == (secure, True, "lax")
    cookies.remove(response, base)
    assert (response.cookies[-1].value, response.cookies[-1].max_age) == ("", 0)
    both = {"__Host-coinslot": "one", "coinslot": "other"}
    request: Any = SimpleNamespace(cookies=both)
    assert cookies.secret_of(request, base) == ("one" if secure else "other")
    nothing: Any = SimpleNamespace(cookies={})
    assert cookies.secret_of(nothing, base) == ""


@pytest.mark.parametrize(("base", "name"), [(HTTPS, "__Host-coinslot"), (HTTP, "coinslot")])
def test_a_tablet_is_known_by_a_cookie_beside_that_of_a_session(base: str, name: str) -> None:
    response = Response[Any](content="")
    cookies.put_tablet(response, base, "tablet", timedelta(days=1))
    cookies.put(response, base, "secret", timedelta(hours=1))
    tablet, own = response.cookies
    assert (tablet.key, tablet.value, tablet.path, tablet.max_age) == (
        f"{name}-tablet", "tablet", "/", 86400,
    )  # fmt: skip
    assert (tablet.secure, tablet.httponly, tablet.samesite) == (base == HTTPS, True, "lax")
    request: Any = SimpleNamespace(cookies={one.key: one.value for one in (tablet, own)})
    assert cookies.tablet_of(request, base) == "tablet"
    assert cookies.secret_of(request, base) == "secret"
    nothing: Any = SimpleNamespace(cookies={own.key: own.value})
    assert cookies.tablet_of(nothing, base) == ""


FORM = "application/x-www-form-urlencoded"
TOKEN = cookies.form_token("secret")


@pytest.mark.parametrize(
    ("method", "headers", "form", "own"),
    [
        ("GET", {"sec-fetch-site": "cross-site"}, {}, True),
        ("HEAD", {}, {}, True),
        ("POST", {"sec-fetch-site": "same-origin"}, {}, True),
        ("POST", {"sec-fetch-site": "none"}, {}, True),
        ("POST", {"sec-fetch-site": "same-site"}, {}, False),
        ("POST", {"sec-fetch-site": "cross-site", "x-form-token": TOKEN}, {}, False),
        ("POST", {}, {}, False),
        ("POST", {"x-form-token": TOKEN}, {}, True),
        ("POST", {"x-form-token": cookies.form_token("else")}, {}, False),
        ("POST", {"content-type": FORM}, {"form_token": TOKEN}, True),
        ("POST", {"content-type": f"{FORM}; charset=utf-8"}, {"form_token": TOKEN}, True),
        ("POST", {"content-type": "multipart/form-data; boundary=x"}, {"form_token": TOKEN}, True),
        ("POST", {"content-type": "application/json"}, {"form_token": TOKEN}, False),
        ("POST", {"content-type": FORM}, {}, False),
        ("POST", {"content-type": FORM, "x-form-token": "wrong"}, {"form_token": TOKEN}, False),
    ],
)
async def test_what_changes_something_comes_from_a_page_of_ours(
    method: str, headers: dict[str, str], form: dict[str, str], own: bool
) -> None:
    async def sent() -> dict[str, str]:
        return form

    request: Any = SimpleNamespace(method=method, headers=headers, form=sent)
    assert await cookies.from_own_page(request, "secret") is own


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://pay.example/a?b", "https://pay.example"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000"),
        ("https://[::1]:8/x", "https://[::1]:8"),
        ("ftp://pay.example/a", None),
        ("javascript:alert(1)", None),
        ("upi://pay?x", None),
        ("https://a b/", None),
        ("https://user@pay.example/", None),
        ("/a", None),
    ],
)
def test_a_page_shows_pictures_from_addresses_that_a_browser_may_open(
    url: str, origin: str | None
) -> None:
    assert security.origin(url) == origin
    assert security.leads_to_payment(url) is (origin is not None or url.startswith("upi://"))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abcdefgh", True), ("a" * 64, True), ("a" * 65, False), ("a" * 7, False),
        ("a b c d e", False), ("A-z_0.9x", True), ("", False),
    ],
)  # fmt: skip
def test_a_callers_id_of_a_request_is_kept_where_it_is_harmless(given: str, kept: bool) -> None:
    scope: Any = {"state": {}, "headers": [(b"x-other", b"zzzzzzzz"),
                                           (b"x-request-id", given.encode())]}  # fmt: skip
    found = security.request_id(scope)
    assert (found == given) is kept
    assert security.request_id(scope) == found


# Who someone is.


@pytest.mark.parametrize(
    ("factors", "strong"),
    [
        ((), False), (("password",), False), (("totp",), False), (("security_key",), False),
        (("password", "totp"), True), (("password", "recovery"), True),
        (("password", "security_key"), True), (("passkey",), True),
        (("password", "password"), False),
    ],
)  # fmt: skip
def test_two_factors_are_strong_and_a_passkey_is_two_by_itself(
    factors: tuple[str, ...], strong: bool
) -> None:
    assert is_strong(factors) is strong
    proof = Proof(person=UUID(int=1), version=1, factors=factors, has_second=True)
    assert proof.complete is strong
    alone = Proof(person=UUID(int=1), version=1, factors=factors, has_second=False)
    assert alone.complete is (strong or "password" in factors)


@pytest.mark.parametrize(
    ("networks", "address", "let_in"),
    [
        ((), "x", True), (("10.0.0.0/8",), "10.9.9.9", True), (("10.0.0.0/8",), "11.0.0.1", False),
        (("10.0.0.0/8", "::1/128"), "::1", True), (("10.0.0.0/8",), "::ffff:10.0.0.1", True),
        (("fe80::/10",), "fe80::1%eth0", True), (("10.0.0.0/8",), "x", False),
        (("10.0.0.0/8",), "", False),
    ],
)  # fmt: skip
def test_a_list_of_networks_lets_in_whoever_is_in_it(
    networks: tuple[str, ...], address: str, let_in: bool
) -> None:
    assert from_allowed(networks, address) is let_in


def test_a_list_of_networks_is_kept_plainly_and_within_bounds() -> None:
    given = (" 10.1.2.3/8 ", "203.0.113.7", "10.0.0.0/8")
    assert rules._networks(given) == ("10.0.0.0/8", "203.0.113.7/32")
    assert len(rules._networks(tuple(f"10.0.0.{n}" for n in range(100)))) == 100
    for bad in (tuple(f"10.0.0.{n}" for n in range(101)), ("here",)):
        with pytest.raises(RuleError) as refused:
            rules._networks(bad)
        assert refused.value.code == "bad_network"


@pytest.mark.parametrize(
    ("password", "login", "taken"),
    [
        ("abcde12345", "boris", True), ("abcde1234", "boris", False), ("a" * 9 + "b", "x", False),
        ("abcd" * 256, "x", False), ("abcde" * 204 + "abcd", "x", True),
        ("abcde" * 205, "x", False), ("aaaaaabbcde", "x", True), ("boris12345", "boris", False),
        ("xxBORIS1234567", "boris", False), ("BORIS1234567890", "boris", True),
    ],
)  # fmt: skip
def test_a_password_is_long_varied_and_no_login(password: str, login: str, taken: bool) -> None:
    if taken:
        assert acceptable(password, login) == password
    else:
        with pytest.raises(WeakPasswordError):
            acceptable(password, login)


@pytest.mark.parametrize(
    ("span_s", "said"), [(-5, 1), (0, 1), (0.1, 1), (1, 1), (1.1, 2), (60, 60)]
)
def test_how_long_to_wait_is_said_in_whole_seconds(span_s: float, said: int) -> None:
    assert limits._seconds(timedelta(seconds=span_s)) == said
    assert TooOftenError(said).retry_after_s == said
