"""The section `razorpay` of the configuration."""

import msgspec

from sandbox import accounts, tempo


class Account(accounts.Subscribed, frozen=True, kw_only=True):
    """A merchant's account at the emulated Razorpay. Without `events` it subscribes to all."""

    key_id: str
    key_secret: str
    former_secrets: tuple[str, ...] = ()  # replaced, and still let in
    webhook_secret: str = ""

    @property
    def login(self) -> str:
        return self.key_id


class Tempo(tempo.Tempo, frozen=True, kw_only=True):
    """Real values: retries not published, answer within 5 s, switched off after 24 h."""

    qr_shortest_s: int = 120  # the real one: 2 min
    qr_longest_s: int = 7_200  # the real one: 2 h


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    accounts: list[Account] = []
    tempo: Tempo = Tempo()
