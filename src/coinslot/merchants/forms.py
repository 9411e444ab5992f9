"""A gateway account's settings as a form: empty, to be filled in, and read back."""

import msgspec
from msgspec import NODEFAULT, Struct

from coinslot.gateways import drivers
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import concealed, revealed


class FormError(ValueError):
    """The settings are not what the gateway asks for; the message names what is wrong."""


def empty_form(gateway: str) -> bytes:
    """As JSON; what must be filled in is empty. Raises FormError."""
    given: dict[str, object] = {}
    for asked in msgspec.structs.fields(_settings_of(gateway)):
        given[asked.name] = "" if asked.required else asked.default
        if asked.default_factory is not NODEFAULT:
            given[asked.name] = asked.default_factory()
    return msgspec.json.encode(given, enc_hook=revealed)


def filled_in(gateway: str, text: bytes) -> Struct:
    """A form that was filled in. Raises FormError."""
    kind = _settings_of(gateway)
    asked = msgspec.structs.fields(kind)
    try:
        said = msgspec.json.decode(text, type=dict[str, object])
        settings: Struct = msgspec.json.decode(text, type=kind, dec_hook=concealed)
    except (msgspec.DecodeError, ValueError) as error:
        raise FormError(f"these settings cannot be read: {error}") from error
    names = [field.name for field in asked]
    if unknown := sorted(set(said) - set(names)):
        raise FormError(f"{gateway} has no setting {unknown[0]}, only {', '.join(names)}")
    for field in asked:
        if field.required and getattr(settings, field.name) in ("", Secret("")):
            raise FormError(f"{field.name} is empty")
    return settings


def _settings_of(gateway: str) -> type[Struct]:
    driver = drivers().get(gateway)
    if driver is None:
        raise FormError(f"there is no gateway {gateway}, only {', '.join(sorted(drivers()))}")
    return driver.Settings
