"""The body of a notification of T-Bank's as its token is made of it."""

import pytest

from coinslot.gateways.tbank import parse


def test_numbers_stay_as_they_were_written() -> None:
    said = parse.scalars(b'{"Amount": 1.50, "Count": 7, "Id": 12345678901234567890}')
    assert said == {"Amount": "1.50", "Count": "7", "Id": "12345678901234567890"}


@pytest.mark.parametrize("body", [b"[]", b'["Token"]', b'"Token"', b"1", b"null", b"true"])
def test_what_is_no_object_is_none_of_its_notifications(body: bytes) -> None:
    with pytest.raises(ValueError, match="not an object"):
        parse.scalars(body)
