"""People at the console, in browsers that keep a cookie, over a real database."""

import re
from collections.abc import Mapping
from html import unescape

import httpx
import pytest

from tests.people.conftest import HERE, PASSWORD, Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_FORM = re.compile(r'<form[^>]*action="([^"]+)"[^>]* method="post">(.*?)</form>', re.DOTALL)
OURS = {"sec-fetch-site": "same-origin", "accept": "text/html"}


class Browser:
    """A browser without JavaScript: it keeps cookies, and sends forms as the page has them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def look(self, path: str) -> httpx.Response:
        return await self.client.get(path, headers={"accept": "text/html"}, follow_redirects=True)

    async def send(
        self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] = OURS
    ) -> httpx.Response:
        return await self.client.post(path, data=dict(fields), headers=dict(headers))

    async def press(
        self, page: httpx.Response, action: str, fields: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Fill in the page's form with this action, and send it."""
        return await self.send(action, form(page, action) | dict(fields or {}))

    async def sign_in(self, login: str, **more: str) -> httpx.Response:
        fields = {"login": login, "password": PASSWORD, **more}
        return await self.send("/console/sign-in", fields)


def form(page: httpx.Response, action: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    for where, inside in _FORM.findall(page.text):
        if unescape(where) == action:
            return {name: unescape(value) for name, value in _HIDDEN.findall(inside)}
    raise AssertionError(f"no form goes to {action} on {page.url}")


@pytest.fixture
def browser(staffed: Staffed) -> Browser:
    return a_browser(staffed)


def a_browser(staffed: Staffed, address: str = HERE) -> Browser:
    return Browser(staffed.client(address))


async def signed_in(staffed: Staffed, login: str) -> Browser:
    found = a_browser(staffed)
    answer = await found.sign_in(login)
    assert answer.status_code == 303, answer.text
    return found
