"""The section `stripe` of the configuration."""

import msgspec

from sandbox import accounts, tempo


class Account(accounts.Subscribed, frozen=True, kw_only=True):
    """A merchant's account at the emulated Stripe. Without `events` its endpoint hears all."""

    secret_key: str
    webhook_secret: str = ""

    @property
    def login(self) -> str:
        return self.secret_key

    @property
    def live(self) -> bool:
        return self.secret_key.startswith(("sk_live_", "rk_live_"))


class Tempo(tempo.Tempo, frozen=True, kw_only=True):
    """Real values: retries over 3 days (3 in a few hours in test mode), pauses not published."""

    webhook_life_s: int = 259_200
    key_life_s: int = 86_400  # the real one: pruned after 24 h or later
    session_shortest_s: int = 1_800  # the real one: 30 min
    session_longest_s: int = 86_400  # the real one: 24 h, which is also the default


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The whole section."""

    accounts: list[Account] = []
    tempo: Tempo = Tempo()
