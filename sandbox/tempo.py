"""How fast time passes at an emulated gateway: tests shorten what the real one takes hours for."""

import msgspec


class Tempo(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What every gateway has; each names its own real values beside those it changes."""

    retry_base_ms: int = 500
    retry_cap_ms: int = 5_000
    delivery_timeout_ms: int = 5_000
    webhook_life_s: int = 86_400
    late_ms: int = 1_000  # late capture after `failed`, late failure of a refund
