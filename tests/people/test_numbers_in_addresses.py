"""Numbers in the addresses of the API: whatever stands there, the answer is no fault of ours."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.people.conftest import Staffed
from tests.people.test_roles import filled

ODD = ("²", "nan", "9" * 19, "9" * 5000)


def asked(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The path of each GET, and the name of each thing that it takes in its address."""
    for path, methods in document["paths"].items():
        for one in methods.get("get", {}).get("parameters", ()):
            if one["in"] in ("query", "path"):
                yield path, one["name"]


@pytest.mark.parametrize("text", ODD, ids=lambda text: text[:10])
async def test_an_address_with_an_odd_number_is_no_fault_of_ours(
    staffed: Staffed, text: str
) -> None:
    token = await staffed.token("asha")
    async with staffed.client() as client:
        client.headers["authorization"] = f"Bearer {token}"
        document = (await client.get("/openapi.json")).json()
        found = list(asked(document))
        assert len(found) > 30
        for path, name in found:
            there = filled(path.replace("{" + name + "}", text))
            there = re.sub(r"\{\w+\}", "X9", there)
            answer = await client.get(there, params={name: text} if name not in path else None)
            assert answer.status_code < 500, (path, name)
