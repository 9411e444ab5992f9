"""The section `twilio` of the configuration."""

import msgspec

from sandbox import accounts, tempo

NUMBER = "+15005550006"  # the sender that Twilio's own test credentials take


class Account(accounts.Account, frozen=True, kw_only=True):
    """An account: `account_id` is its SID. `webhook_url` hears what people write back."""

    auth_token: str
    api_keys: dict[str, str] = msgspec.field(default_factory=dict)  # SK..., and its secret
    numbers: tuple[str, ...] = (NUMBER,)  # what it may send and call from
    services: tuple[str, ...] = ()  # messaging services, MG...
    shared_key: tuple[str, str] | None = None  # name and secret: callbacks signed by SHA-256
    trial: bool = False  # sends to verified numbers alone
    verified: tuple[str, ...] = ()
    busy: bool = False  # every POST is answered 429


class Tempo(tempo.Tempo, frozen=True, kw_only=True):
    """Real values: a callback is tried twice, and again only when no connection came up."""

    delivery_timeout_ms: int = 15_000
    sent_ms: int = 60  # the real one: a second or so
    delivered_ms: int = 120  # the real one: seconds, or never
    ring_ms: int = 60
    answer_ms: int = 120
    talk_ms: int = 200
    second_ms: int = 1_000  # of a call's Timeout
    price_ms: int = 400  # the real one: minutes


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    accounts: list[Account] = []
    tempo: Tempo = Tempo()
