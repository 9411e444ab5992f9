"""Every setting once, typed, read from the environment. Only app and the commands read it."""

import ipaddress
import logging
import os
import re
import ssl
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta, Struct

from coinslot.channels.addresses import places
from coinslot.channels.price_caps import PriceCapError, PriceCaps
from coinslot.context import Windows
from coinslot.events.mirror.firebase import FirebaseAddressError, address
from coinslot.events.webhooks.signing import HookRules
from coinslot.kit.clock import UnknownZoneError, zone_named
from coinslot.kit.secrets import Peppers, Secret, Vault, VaultKeyError
from coinslot.notices import smtp, twilio
from coinslot.pages.peer import networks

Port = Annotated[int, Meta(ge=1, le=65_535)]
SHORTEST_SECRET = 32  # bytes, as many as SHA-256 gives
LONGEST = 10**9  # thirty years in seconds: no window is longer, and a date bears its sum
Seconds = Annotated[float, Meta(gt=0, le=LONGEST)]

# Environment name -> field of `Windows`; the values are numbers.
WINDOW_NAMES: Mapping[str, str] = {
    "COINSLOT_UNPAID_S": "unpaid_s",
    "COINSLOT_HOLD_S": "hold_s",
    "COINSLOT_PHONE_MESSAGES": "phone_messages",
    "COINSLOT_NETWORK_MESSAGES": "network_messages",
    "COINSLOT_OUTLET_MESSAGES": "outlet_messages",
    "COINSLOT_MESSAGE_CENTS": "message_cents",
    "COINSLOT_MERCHANT_MESSAGE_CENTS": "merchant_message_cents",
    "COINSLOT_RESEND_S": "resend_s",
    "COINSLOT_RESENDS": "resends",
    "COINSLOT_CODE_WAIT_S": "code_wait_s",
    "COINSLOT_CODES_PER_MINUTE": "codes_per_minute",
    "COINSLOT_NETWORK_CODES_PER_MINUTE": "network_codes_per_minute",
    "COINSLOT_NETWORK_UNPAID_CODES": "network_unpaid_codes",
    "COINSLOT_NETWORK_ORDERS": "network_orders",
    "COINSLOT_BROWSER_ORDERS": "browser_orders",
    "COINSLOT_DISPATCH_WINDOW_S": "dispatch_s",
    "COINSLOT_OFFER_S": "offer_s",
    "COINSLOT_SILENT_OFFERS": "silent_offers",
    "COINSLOT_SILENT_PAUSE_S": "silent_pause_s",
    "COINSLOT_TEMP_LOCK_S": "temp_lock_s",
    "COINSLOT_LEASE_MS": "lease_ms",
    "COINSLOT_CHOOSE_S": "choose_s",
    "COINSLOT_RUN_S": "run_s",
    "COINSLOT_QUERY_S": "query_s",
    "COINSLOT_CONFIG_S": "config_s",
    "COINSLOT_CONFIG_HOLD_S": "config_hold_s",
    "COINSLOT_IN_DOUBT_S": "in_doubt_s",
    "COINSLOT_COUNTER_DISPATCH_S": "counter_dispatch_s",
    "COINSLOT_PREPARE_S": "prepare_s",
    "COINSLOT_PICKUP_S": "pickup_s",
    "COINSLOT_BOARD_SILENT_S": "board_silent_s",
    "COINSLOT_ALARM_REPEAT_S": "alarm_repeat_s",
    "COINSLOT_ALARM_TELL_S": "alarm_tell_s",
    "COINSLOT_ALARM_CALL_S": "alarm_call_s",
    "COINSLOT_ALARM_PAUSE_S": "alarm_pause_s",
    "COINSLOT_PRINT_AGAIN_S": "print_again_s",
    "COINSLOT_PRINT_LATE_S": "print_late_s",
    "COINSLOT_PRINT_ANSWER_S": "print_answer_s",
    "COINSLOT_PRINT_SHOWN_S": "print_shown_s",
    "COINSLOT_CODE_S": "code_s",
    "COINSLOT_GRACE_S": "grace_s",
    "COINSLOT_HEARD_S": "heard_s",
    "COINSLOT_DECIDE_S": "decide_s",
    "COINSLOT_MATCH_S": "match_s",
    "COINSLOT_CAPTURE_S": "capture_s",
    "COINSLOT_PAGE_ASK_S": "page_ask_s",
    "COINSLOT_POLL_S": "poll_s",
    "COINSLOT_ONLINE_S": "online_s",
    "COINSLOT_ATTEMPT_LOOK_S": "attempt_look_s",
    "COINSLOT_ATTEMPT_PAUSE_MAX_S": "attempt_pause_max_s",
    "COINSLOT_PROCESSING_S": "processing_s",
    "COINSLOT_COUNTERS_S": "counters_s",
    "COINSLOT_COUNTER_QUIET_S": "counter_quiet_s",
    "COINSLOT_CASES_S": "cases_s",
    "COINSLOT_NIGHTLY_AFTER_S": "nightly_after_s",
    "COINSLOT_PAID_OUT_S": "paid_out_s",
    "COINSLOT_AUDIT_EVERY_S": "audit_every_s",
    "COINSLOT_ANSWER_S": "answer_s",
    "COINSLOT_BREAKER_FAILURES": "breaker_failures",
    "COINSLOT_BREAKER_WINDOW_S": "breaker_window_s",
    "COINSLOT_BREAKER_PAUSE_S": "breaker_pause_s",
    "COINSLOT_KEYS_KEPT_S": "keys_kept_s",
    "COINSLOT_CLOCK_SKEW_S": "clock_skew_s",
    "COINSLOT_DELIVERIES_KEPT_S": "deliveries_kept_s",
    "COINSLOT_REFUND_LOOK_S": "refund_look_s",
    "COINSLOT_REFUND_PAUSE_MAX_S": "refund_pause_max_s",
    "COINSLOT_REFUND_OWED_S": "refund_owed_s",
    "COINSLOT_RECEIPT_LOOK_S": "receipt_look_s",
    "COINSLOT_RECEIPT_PAUSE_MAX_S": "receipt_pause_max_s",
    "COINSLOT_RECEIPT_LATE_S": "receipt_late_s",
    "COINSLOT_RECEIPT_CONTACTS_KEPT_S": "receipt_contacts_kept_s",
    "COINSLOT_ACCESS_TOKEN_S": "access_token_s",
    "COINSLOT_REFRESH_GRACE_S": "refresh_grace_s",
    "COINSLOT_SESSION_IDLE_S": "session_idle_s",
    "COINSLOT_SESSION_LIFE_S": "session_life_s",
    "COINSLOT_STEP_UP_S": "step_up_s",
    "COINSLOT_CHALLENGE_S": "challenge_s",
    "COINSLOT_SIGN_IN_WINDOW_S": "sign_in_window_s",
    "COINSLOT_SIGN_IN_TRIES": "sign_in_tries",
    "COINSLOT_ACCOUNT_TRIES": "account_tries",
    "COINSLOT_NETWORK_TRIES": "network_tries",
    "COINSLOT_INVITATION_S": "invitation_s",
    "COINSLOT_RESET_S": "reset_s",
    "COINSLOT_PICTURES_KEPT_S": "pictures_kept_s",
    "COINSLOT_DEVICE_KEY_S": "device_key_s",
    "COINSLOT_DEVICE_KEY_OVERLAP_S": "device_key_overlap_s",
    "COINSLOT_MACHINE_LOG_LINES": "machine_log_lines",
    "COINSLOT_MACHINE_LOGS_KEPT_S": "machine_logs_kept_s",
    "COINSLOT_SHORT_SAMPLES_KEPT_S": "short_samples_kept_s",
    "COINSLOT_HOUR_SAMPLES_KEPT_S": "hour_samples_kept_s",
    "COINSLOT_DAY_SAMPLES_KEPT_S": "day_samples_kept_s",
    "COINSLOT_MACHINE_SILENT_S": "machine_silent_s",
    "COINSLOT_JOURNAL_FULL_PERCENT": "journal_full_percent",
    "COINSLOT_RESTARTS_AN_HOUR": "restarts_an_hour",
    "COINSLOT_WEAK_SIGNAL_DBM": "weak_signal_dbm",
    "COINSLOT_SOLD_OUT_SOON_S": "sold_out_soon_s",
    "COINSLOT_MACHINE_BACK_S": "machine_back_s",
    "COINSLOT_NOTICE_GATHER_S": "notice_gather_s",
    "COINSLOT_NOTICE_PAUSE_S": "notice_pause_s",
    "COINSLOT_NOTICES_S": "notices_s",
    "COINSLOT_NOTICES_KEPT_S": "notices_kept_s",
    "COINSLOT_CALL_LOGS_KEPT_S": "call_logs_kept_s",
    "COINSLOT_LOGS_KEPT_S": "logs_kept_s",
    "COINSLOT_PAYMENT_RECORDS_KEPT_S": "payment_records_kept_s",
    "COINSLOT_API_KEY_OVERLAP_S": "api_key_overlap_s",
    "COINSLOT_GATEWAY_SECRET_OVERLAP_S": "gateway_secret_overlap_s",
}


class SettingsError(Exception):
    """A setting is missing or cannot be read; the message names it."""


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of an installation. No secret has a default."""

    database_url: str | None = None  # DATABASE_URL; none: the embedded PostgreSQL in `data`
    owner_url: str | None = None  # COINSLOT_OWNER_URL
    door_url: str | None = None  # COINSLOT_DOOR_URL
    mqtt_broker_url: str | None = None  # MQTT_BROKER_URL; none: the embedded broker in `data`
    mqtt_ca_file: Path | None = None  # MQTT_CA_FILE
    devices_mqtt_url: str | None = None  # COINSLOT_DEVICES_MQTT_URL
    mqtt_port: Port | None = None  # COINSLOT_MQTT_PORT, of the embedded broker
    mqtt_bind: str | None = None  # COINSLOT_MQTT_BIND, of the embedded broker; none: loopback
    keys: str | None = None  # COINSLOT_KEYS: "id:base64,..."; none: made and kept in `data`
    data: Path = Path(".coinslot")  # COINSLOT_DATA
    host: str = "127.0.0.1"  # COINSLOT_HOST
    port: Port = 8000  # COINSLOT_PORT
    public_url: str | None = None  # COINSLOT_PUBLIC_URL
    jwt_secret: str | None = None  # JWT_SECRET; none: made once and kept sealed in the database
    zone: str = "UTC"  # COINSLOT_ZONE
    support: str = ""  # COINSLOT_SUPPORT
    image_sources: str = "https:"  # COINSLOT_IMAGE_SOURCES, separated by spaces
    pictures: Path | None = None  # COINSLOT_PICTURES; none: a folder in `data`
    pictures_prefix: str | None = None  # COINSLOT_PICTURES_PREFIX; a CDN in front of them
    s3_endpoint: str | None = None  # COINSLOT_S3_ENDPOINT; with it pictures lie in a bucket
    s3_bucket: str = ""  # COINSLOT_S3_BUCKET
    s3_region: str = "us-east-1"  # COINSLOT_S3_REGION
    s3_key_id: str = ""  # COINSLOT_S3_KEY_ID
    s3_secret: str = ""  # COINSLOT_S3_SECRET
    # COINSLOT_DEVICES_S3_ENDPOINT; where machines reach the bucket: they load firmware from it
    devices_s3_endpoint: str | None = None
    metrics_token: str | None = None  # COINSLOT_METRICS_TOKEN
    request_s: Seconds = 15.0  # COINSLOT_REQUEST_S
    trusted_proxies: str = ""  # COINSLOT_TRUSTED_PROXIES, separated by commas
    printer_networks: str = ""  # COINSLOT_PRINTER_NETWORKS, separated by commas
    price_caps: str = ""  # COINSLOT_PRICE_CAPS, separated by commas
    pool_size: Annotated[int, Meta(ge=1)] = 10  # COINSLOT_POOL_SIZE
    poll_sweep_s: Seconds = 0.5  # COINSLOT_SWEEP_S
    row_lease_s: Seconds = 20.0  # COINSLOT_ROW_LEASE_S
    calls_per_account: Annotated[int, Meta(ge=1)] = 4  # COINSLOT_CALLS_PER_ACCOUNT
    gateway_timeout_s: Seconds = 10.0  # COINSLOT_GATEWAY_TIMEOUT_S
    webhook_answer_s: Seconds = 5.0  # COINSLOT_WEBHOOK_ANSWER_S
    firebase_url: str | None = None  # COINSLOT_FIREBASE_URL; none: nothing is mirrored
    firebase_credentials: Path | None = None  # COINSLOT_FIREBASE_CREDENTIALS
    mirror_round_s: Seconds = 15.0  # COINSLOT_MIRROR_ROUND_S
    webhook_timeout_s: Seconds = 15.0  # COINSLOT_WEBHOOK_TIMEOUT_S
    webhook_pauses_s: tuple[Seconds, ...] = HookRules().pauses_s  # COINSLOT_WEBHOOK_PAUSES_S
    webhook_overlap_s: Seconds = 86_400.0  # COINSLOT_WEBHOOK_OVERLAP_S
    webhook_disable_s: Seconds = 432_000.0  # COINSLOT_WEBHOOK_DISABLE_S
    webhook_retry_after_max_s: Seconds = 3600.0  # COINSLOT_WEBHOOK_RETRY_AFTER_MAX_S
    webhook_private_addresses: bool = False  # COINSLOT_WEBHOOK_PRIVATE_ADDRESSES
    smtp_url: str | None = None  # COINSLOT_SMTP_URL; none: no mail goes out
    smtp_from: str | None = None  # COINSLOT_SMTP_FROM
    smtp_ca_file: Path | None = None  # COINSLOT_SMTP_CA_FILE
    messages: Literal["", "twilio", "console"] = ""  # COINSLOT_MESSAGES; none: no SMS, no calls
    twilio_account_sid: str = ""  # TWILIO_ACCOUNT_SID
    twilio_auth_token: str = ""  # TWILIO_AUTH_TOKEN
    twilio_old_tokens: str = ""  # COINSLOT_TWILIO_OLD_TOKENS, separated by commas
    twilio_number: str = ""  # TWILIO_PHONE_NUMBER
    twilio_service: str = ""  # TWILIO_MESSAGING_SERVICE_SID
    twilio_api_key: str = ""  # TWILIO_API_KEY
    twilio_api_secret: str = ""  # TWILIO_API_SECRET
    twilio_url: str = "https://api.twilio.com"  # COINSLOT_TWILIO_URL
    code_peppers: str | None = None  # COINSLOT_CODE_PEPPERS; none: made from COINSLOT_KEYS
    sandbox_url: str = ""  # COINSLOT_SANDBOX_URL
    fault: str | None = None  # COINSLOT_FAULT, for tests: die:<point>:<count>
    log_level: str = "INFO"  # LOG_LEVEL
    razorpay_key_id: str | None = None  # RAZORPAY_KEY_ID
    razorpay_key_secret: str | None = None  # RAZORPAY_KEY_SECRET
    razorpay_webhook_secret: str | None = None  # RAZORPAY_WEBHOOK_SECRET
    tmetr_host: str = "https://telemetry.fwsoft.ru"  # TMETR_HOST
    tmetr_token: str | None = None  # TMETR_TOKEN
    windows: Windows = Windows()

    @property
    def base_url(self) -> str:
        """The public address of this installation."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def pictures_url(self) -> str:
        """What addresses of pictures begin with; empty: they are of this site."""
        return (self.pictures_prefix or "").rstrip("/")

    @property
    def hooks(self) -> HookRules:
        """How webhooks go out to merchants."""
        return HookRules(
            timeout_s=self.webhook_timeout_s,
            pauses_s=self.webhook_pauses_s,
            overlap_s=self.webhook_overlap_s,
            disable_s=self.webhook_disable_s,
            retry_after_max_s=self.webhook_retry_after_max_s,
            private_addresses=self.webhook_private_addresses,
            poll_s=self.poll_sweep_s,
        )


# Environment name -> field of `Settings`.
NAMES: Mapping[str, str] = {
    "DATABASE_URL": "database_url",
    "COINSLOT_OWNER_URL": "owner_url",
    "COINSLOT_DOOR_URL": "door_url",
    "MQTT_BROKER_URL": "mqtt_broker_url",
    "MQTT_CA_FILE": "mqtt_ca_file",
    "COINSLOT_DEVICES_MQTT_URL": "devices_mqtt_url",
    "COINSLOT_MQTT_PORT": "mqtt_port",
    "COINSLOT_MQTT_BIND": "mqtt_bind",
    "COINSLOT_KEYS": "keys",
    "COINSLOT_DATA": "data",
    "COINSLOT_HOST": "host",
    "COINSLOT_PORT": "port",
    "COINSLOT_PUBLIC_URL": "public_url",
    "JWT_SECRET": "jwt_secret",
    "COINSLOT_ZONE": "zone",
    "COINSLOT_SUPPORT": "support",
    "COINSLOT_IMAGE_SOURCES": "image_sources",
    "COINSLOT_PICTURES": "pictures",
    "COINSLOT_PICTURES_PREFIX": "pictures_prefix",
    "COINSLOT_S3_ENDPOINT": "s3_endpoint",
    "COINSLOT_S3_BUCKET": "s3_bucket",
    "COINSLOT_S3_REGION": "s3_region",
    "COINSLOT_S3_KEY_ID": "s3_key_id",
    "COINSLOT_S3_SECRET": "s3_secret",
    "COINSLOT_DEVICES_S3_ENDPOINT": "devices_s3_endpoint",
    "COINSLOT_METRICS_TOKEN": "metrics_token",
    "COINSLOT_REQUEST_S": "request_s",
    "COINSLOT_TRUSTED_PROXIES": "trusted_proxies",
    "COINSLOT_PRINTER_NETWORKS": "printer_networks",
    "COINSLOT_PRICE_CAPS": "price_caps",
    "COINSLOT_POOL_SIZE": "pool_size",
    "COINSLOT_SWEEP_S": "poll_sweep_s",
    "COINSLOT_ROW_LEASE_S": "row_lease_s",
    "COINSLOT_CALLS_PER_ACCOUNT": "calls_per_account",
    "COINSLOT_GATEWAY_TIMEOUT_S": "gateway_timeout_s",
    "COINSLOT_WEBHOOK_ANSWER_S": "webhook_answer_s",
    "COINSLOT_FIREBASE_URL": "firebase_url",
    "COINSLOT_FIREBASE_CREDENTIALS": "firebase_credentials",
    "COINSLOT_MIRROR_ROUND_S": "mirror_round_s",
    "COINSLOT_WEBHOOK_TIMEOUT_S": "webhook_timeout_s",
    "COINSLOT_WEBHOOK_PAUSES_S": "webhook_pauses_s",
    "COINSLOT_WEBHOOK_OVERLAP_S": "webhook_overlap_s",
    "COINSLOT_WEBHOOK_DISABLE_S": "webhook_disable_s",
    "COINSLOT_WEBHOOK_RETRY_AFTER_MAX_S": "webhook_retry_after_max_s",
    "COINSLOT_WEBHOOK_PRIVATE_ADDRESSES": "webhook_private_addresses",
    "COINSLOT_SMTP_URL": "smtp_url",
    "COINSLOT_SMTP_FROM": "smtp_from",
    "COINSLOT_SMTP_CA_FILE": "smtp_ca_file",
    "COINSLOT_MESSAGES": "messages",
    "TWILIO_ACCOUNT_SID": "twilio_account_sid",
    "TWILIO_AUTH_TOKEN": "twilio_auth_token",
    "COINSLOT_TWILIO_OLD_TOKENS": "twilio_old_tokens",
    "TWILIO_PHONE_NUMBER": "twilio_number",
    "TWILIO_MESSAGING_SERVICE_SID": "twilio_service",
    "TWILIO_API_KEY": "twilio_api_key",
    "TWILIO_API_SECRET": "twilio_api_secret",
    "COINSLOT_TWILIO_URL": "twilio_url",
    "COINSLOT_CODE_PEPPERS": "code_peppers",
    "COINSLOT_SANDBOX_URL": "sandbox_url",
    "COINSLOT_FAULT": "fault",
    "LOG_LEVEL": "log_level",
    "RAZORPAY_KEY_ID": "razorpay_key_id",
    "RAZORPAY_KEY_SECRET": "razorpay_key_secret",
    "RAZORPAY_WEBHOOK_SECRET": "razorpay_webhook_secret",
    "TMETR_HOST": "tmetr_host",
    "TMETR_TOKEN": "tmetr_token",
}
# Variables that name a server elsewhere: name -> schemes of its address.
ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "DATABASE_URL": ("postgresql", "postgres"),
    "COINSLOT_DOOR_URL": ("postgresql", "postgres"),
    "COINSLOT_OWNER_URL": ("postgresql", "postgres"),
    "MQTT_BROKER_URL": ("mqtt", "mqtts"),
}
_MAIL_PORTS: Final = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_MAIL_SECURITY: Final[Mapping[str, Literal["starttls", "tls", "none"]]] = {
    "smtp": "starttls", "smtps": "tls", "smtp+plain": "none",
}  # fmt: skip
MIRROR = ("COINSLOT_FIREBASE_URL", "COINSLOT_FIREBASE_CREDENTIALS")
_PLACES = re.compile(r"((\[[0-9A-Fa-f:.]+\]|[^:,\[\]]*)(:\d{1,5})?(,|$))+")


def read(env: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this environment. Raises SettingsError, naming the variable."""
    given: dict[str, object] = {field: env[name] for name, field in NAMES.items() if env.get(name)}
    if "webhook_pauses_s" in given:
        given["webhook_pauses_s"] = str(given["webhook_pauses_s"]).split(",")
    windows: dict[str, object] = {
        field: env[name] for name, field in WINDOW_NAMES.items() if env.get(name)
    }
    if env.get("ORDER_EXPIRATION_MINUTES"):
        try:
            windows["order_s"] = float(env["ORDER_EXPIRATION_MINUTES"]) * 60
        except ValueError as error:
            raise SettingsError(f"ORDER_EXPIRATION_MINUTES: {error}") from error
    try:
        found = msgspec.convert(
            {**given, "windows": windows}, Settings, strict=False, dec_hook=_path
        )
    except msgspec.ValidationError as error:
        raise SettingsError(_named(str(error))) from error
    _look_through(found)
    return found


def _look_through(found: Settings) -> None:
    """Checks for what would fail later, or do harm. No message repeats an address or a key: both
    contain secrets."""
    for name, schemes in ADDRESSES.items():
        given: str | None = getattr(found, NAMES[name])
        if given is not None and not _is_address(given, schemes):
            raise SettingsError(f"{name}: it must be {schemes[0]}://login:password@host:port")
    try:
        zone_named(found.zone)
    except UnknownZoneError as error:
        raise SettingsError(f"COINSLOT_ZONE: {error}") from error
    for name in ("trusted_proxies", "printer_networks"):
        try:
            networks(getattr(found, name))
        except ValueError as error:
            raise SettingsError(
                f"COINSLOT_{name.upper()}: it must be addresses or networks, such as 10.0.0.0/8"
            ) from error
    try:
        PriceCaps.parse(found.price_caps)
    except PriceCapError as error:
        raise SettingsError(f"COINSLOT_PRICE_CAPS: {error}") from error
    if found.log_level.upper() not in logging.getLevelNamesMapping():
        raise SettingsError(f"LOG_LEVEL: {found.log_level!r} is not DEBUG, INFO, WARNING or ERROR")
    _look_at_broker(found)
    _look_at_mirror(found)
    _look_at_mail(found)
    _look_at_bucket(found)
    _look_at_messages(found)
    if found.jwt_secret is not None and len(found.jwt_secret.encode()) < SHORTEST_SECRET:
        raise SettingsError(f"JWT_SECRET: it must have {SHORTEST_SECRET} bytes or more")
    if found.keys is not None:
        try:
            Vault.parse(found.keys)
        except VaultKeyError as error:
            raise SettingsError(f"COINSLOT_KEYS: {error}") from error
    names = {field: name for name, field in WINDOW_NAMES.items()}
    for field, value in msgspec.structs.asdict(found.windows).items():
        if not 0 < value <= LONGEST:
            name = names.get(field, "ORDER_EXPIRATION_MINUTES")
            raise SettingsError(f"{name}: it must be more than 0 and at most {LONGEST}")


def _look_at_broker(found: Settings) -> None:
    for name, given in (
        ("MQTT_BROKER_URL", found.mqtt_broker_url),
        ("COINSLOT_DEVICES_MQTT_URL", found.devices_mqtt_url),
    ):
        try:
            places(given or "mqtt://nowhere")
        except ValueError as error:
            raise SettingsError(
                f"{name}: it must be mqtt://login:password@host:port, or several host:port"
                " separated by commas"
            ) from error
    if found.mqtt_ca_file is not None:
        if not (found.mqtt_broker_url or "").startswith("mqtts:"):
            raise SettingsError("MQTT_CA_FILE is for a MQTT_BROKER_URL that begins with mqtts://")
        try:
            ssl.create_default_context(cafile=found.mqtt_ca_file)
        except OSError as error:
            raise SettingsError(
                f"MQTT_CA_FILE: no certificate can be read from {found.mqtt_ca_file}: {error}"
            ) from error

    if found.mqtt_bind is not None:
        _look_at_bind(found, found.mqtt_bind)


def _look_at_bind(found: Settings, bind: str) -> None:
    """Secrets of machines go over TLS, and its certificate has to name what they call."""
    if found.mqtt_broker_url is not None:
        raise SettingsError("COINSLOT_MQTT_BIND is of the embedded broker; MQTT_BROKER_URL is set")
    try:
        anywhere = ipaddress.ip_address(bind).is_unspecified
    except ValueError as error:
        raise SettingsError(
            f"COINSLOT_MQTT_BIND: {bind} is no address of this computer, such as 0.0.0.0"
        ) from error
    given = found.devices_mqtt_url or ""
    if anywhere and not given:
        raise SettingsError(
            "COINSLOT_MQTT_BIND: say by which name machines reach the broker, in"
            " COINSLOT_DEVICES_MQTT_URL=mqtts://broker.example:8883"
        )
    if given and not given.startswith("mqtts:"):
        raise SettingsError(
            "COINSLOT_DEVICES_MQTT_URL: with COINSLOT_MQTT_BIND it begins with mqtts://"
        )


def _look_at_bucket(found: Settings) -> None:
    prefix = found.pictures_prefix
    if prefix is not None and not re.fullmatch(
        r"https?://[A-Za-z0-9.:\[\]-]+(/[\w.~/-]*)?", prefix
    ):
        raise SettingsError("COINSLOT_PICTURES_PREFIX: it must be like https://cdn.example.com")
    if found.s3_endpoint is None:
        if found.devices_s3_endpoint is not None:
            raise SettingsError("COINSLOT_DEVICES_S3_ENDPOINT needs COINSLOT_S3_ENDPOINT")
        return
    if not re.fullmatch(r"https?://[\w.:\[\]-]+/?", found.s3_endpoint):
        raise SettingsError("COINSLOT_S3_ENDPOINT: it must be like https://s3.example.com")
    devices = found.devices_s3_endpoint
    if devices is not None and not re.fullmatch(r"https?://[\w.:\[\]-]+/?", devices):
        raise SettingsError("COINSLOT_DEVICES_S3_ENDPOINT: it must be like https://s3.example.com")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", found.s3_bucket):
        raise SettingsError("COINSLOT_S3_ENDPOINT is set, so COINSLOT_S3_BUCKET must be set too")
    if not (found.s3_key_id and found.s3_secret):
        raise SettingsError(
            "COINSLOT_S3_ENDPOINT is set, so COINSLOT_S3_KEY_ID and COINSLOT_S3_SECRET must be too"
        )


def _look_at_mirror(found: Settings) -> None:
    if found.firebase_url is None:
        return
    try:
        place = address(found.firebase_url)
    except FirebaseAddressError as error:
        raise SettingsError(f"COINSLOT_FIREBASE_URL: {error}") from error
    if not place.is_emulator and found.firebase_credentials is None:
        raise SettingsError(
            "COINSLOT_FIREBASE_URL is set, so COINSLOT_FIREBASE_CREDENTIALS must be set too"
        )


def mail_server(found: Settings) -> smtp.Settings | None:
    """Where mail goes out; None where no server is named. Raises SettingsError."""
    if found.smtp_url is None:
        return None
    try:
        parts = urlsplit(found.smtp_url)
        port = parts.port or _MAIL_PORTS[parts.scheme]
        security, host = _MAIL_SECURITY[parts.scheme], parts.hostname
    except (ValueError, KeyError):
        host = None
    if not host:
        raise SettingsError(
            "COINSLOT_SMTP_URL: it must be smtp://login:password@host:port (STARTTLS), smtps://"
            " (TLS from the start), or smtp+plain:// (neither: for a server beside this one)"
        )
    name, sender = parseaddr(found.smtp_from or "")
    if not smtp.MAILBOX.fullmatch(sender):
        raise SettingsError("COINSLOT_SMTP_FROM: it must be an address, such as coins@shop.example")
    return smtp.Settings(
        host=host, port=port, security=security, sender=sender, sender_name=name,
        user=unquote(parts.username or ""), password=Secret(unquote(parts.password or "")),
        trusted=found.smtp_ca_file.read_text("ascii") if found.smtp_ca_file else "",
    )  # fmt: skip


def twilio_account(found: Settings) -> twilio.Settings | None:
    """Whose text messages and calls go out; None where COINSLOT_MESSAGES names another way."""
    if found.messages != "twilio":
        return None
    return twilio.Settings(
        account_sid=found.twilio_account_sid, auth_token=Secret(found.twilio_auth_token),
        sender=found.twilio_number, service=found.twilio_service,
        api_key=found.twilio_api_key, api_secret=Secret(found.twilio_api_secret),
        old_tokens=tuple(Secret(t) for t in found.twilio_old_tokens.split(",") if t),
        base_url=found.twilio_url,
    )  # fmt: skip


def _look_at_messages(found: Settings) -> None:
    if found.messages == "twilio":
        if not re.fullmatch(r"AC[0-9a-fA-F]{32}", found.twilio_account_sid):
            raise SettingsError("TWILIO_ACCOUNT_SID: it must be AC and 32 hexadecimal digits")
        if not found.twilio_auth_token:
            raise SettingsError("TWILIO_AUTH_TOKEN must be set: callbacks are signed by it")
        if not twilio.E164.fullmatch(found.twilio_number):
            raise SettingsError("TWILIO_PHONE_NUMBER: it must be like +15005550006")
        if bool(found.twilio_api_key) != bool(found.twilio_api_secret):
            raise SettingsError("TWILIO_API_KEY and TWILIO_API_SECRET are set together")
    if found.code_peppers is not None:
        try:
            Peppers.parse(found.code_peppers)
        except VaultKeyError as error:
            raise SettingsError(f"COINSLOT_CODE_PEPPERS: {error}") from error


def _look_at_mail(found: Settings) -> None:
    try:
        server = mail_server(found)
        if server is not None and server.trusted:
            ssl.create_default_context(cadata=server.trusted)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"COINSLOT_SMTP_CA_FILE: no certificate can be read from {found.smtp_ca_file}: {error}"
        ) from error


def _is_address(given: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(given)
    except ValueError:
        return False
    places = parts.netloc.rpartition("@")[2]
    there = bool(places) or "host=" in parts.query  # a socket of this computer
    return parts.scheme in schemes and there and _PLACES.fullmatch(places) is not None


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind.__name__)


def _named(message: str) -> str:
    """msgspec names the field; people know the variable."""
    for name, field in {**NAMES, **WINDOW_NAMES}.items():
        if re.search(rf"\$\.(windows\.)?{field}(\[\d+\])?`$", message):
            return f"{name}: {message}"
    return message
