"""Writes docs/settings.md from src/coinslot/settings.py: `python -m tests.write_settings`.

Names, defaults and units are the code's. The meanings below are written by hand; one that is
missing, or left over, stops the writing.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from coinslot.commands import build
from coinslot.context import Windows
from coinslot.settings import NAMES, WINDOW_NAMES, Settings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"

HEAD = """# Settings

Made from `src/coinslot/settings.py` by `python -m tests.write_settings` (`make docs`): change that.

Every setting is an environment variable; an empty one counts as not set. What cannot be used stops
the start with a line that names the variable. Nothing has a secret for a default. The options
`--data`, `--host` and `--port` of a command stand above their variables. `coinslot demo` is always
a world of its own: it reads the windows of time and the engine, and neither databases, brokers nor
keys.
"""

GROUPS: Mapping[str, Mapping[str, str]] = {
    "What it stands on": {
        "DATABASE_URL": "PostgreSQL 15 to 18, as the login `coinslot_app`. Without it: the embedded"
        " server, in the data folder. With it, `COINSLOT_DOOR_URL` and `COINSLOT_KEYS` are needed",
        "COINSLOT_DOOR_URL": "the same database, as the login `coinslot_door`",
        "COINSLOT_OWNER_URL": "the same database, as its owner `coinslot_owner`. Only `coinslot"
        " migrate`, `coinslot audit`, `coinslot doctor` and `coinslot keys reseal` read it",
        "MQTT_BROKER_URL": "`mqtt://login:password@host:port`, or `mqtts://` for TLS; of a cluster"
        " several `host:port` separated by commas, tried in turn. Without it:"
        " the embedded broker, on 127.0.0.1 alone unless `COINSLOT_MQTT_BIND` says otherwise",
        "MQTT_CA_FILE": "path of the certificate (PEM) of whoever signed the broker's, for"
        " `mqtts://` with a private authority; without it, the system's",
        "COINSLOT_DEVICES_MQTT_URL": "the broker as machines reach it, `mqtts://host:port`, for"
        " their enrolment; without it, the address in `MQTT_BROKER_URL`",
        "COINSLOT_MQTT_PORT": "port of the embedded broker; without it, any free one",
        "COINSLOT_MQTT_BIND": "address that the embedded broker listens on for machines on other"
        " computers, such as `0.0.0.0`; they come over TLS, by an authority that enrolments name."
        " Without it: 127.0.0.1 alone, without TLS",
        "COINSLOT_KEYS": "what secrets rest under: `name:key`, separated by commas, the first one"
        " seals; a key is 32 random bytes in base64. Without `DATABASE_URL`: made once and kept in"
        " the data folder",
        "COINSLOT_DATA": "folder of everything embedded",
        "COINSLOT_POOL_SIZE": "connections of one process to PostgreSQL, for each of two logins",
    },
    "The web": {
        "COINSLOT_HOST": "address to listen on",
        "COINSLOT_PORT": "port to listen on, for pages, webhooks and Socket.IO",
        "COINSLOT_PUBLIC_URL": "how the world reaches it, said when it is ready; without it,"
        " `http://127.0.0.1:<port>`",
        "JWT_SECRET": "signs the tokens of people who signed in (HS256): 32 bytes or more. Without"
        " it one is made, and kept sealed in the database",
        "COINSLOT_ZONE": "zone of merchants that have none of their own, such as `Asia/Kolkata`",
        "COINSLOT_SUPPORT": "whom a page names that cannot help any further: a telephone"
        " number or a mail address",
        "COINSLOT_IMAGE_SOURCES": "where a page may load a QR code's picture from, as in a"
        " Content-Security-Policy; several are separated by spaces",
        "COINSLOT_METRICS_TOKEN": "bearer token that `/metrics` then asks for; without it,"
        " `/metrics` is open",
        "COINSLOT_REQUEST_S": "a request must have come whole within it; then its connection is"
        " hung up",
        "COINSLOT_TRUSTED_PROXIES": "addresses or networks of proxies whose `X-Forwarded-For` and"
        " `X-Forwarded-Proto` are believed, separated by commas. From anyone else they count for"
        " nothing",
        "COINSLOT_PRINTER_NETWORKS": "networks inside which ESC/POS printers may be, separated by"
        " commas, such as 192.168.1.0/24. Without it the server connects to printers at public"
        " addresses alone: a merchant names the address",
        "COINSLOT_PRICE_CAPS": "the highest price of a machine by its class and by currency, in"
        " minor units, separated by commas: `G0:INR=10000,G1:INR=50000`. What is not named"
        " has no cap ([vend-protocol.md](vend-protocol.md))",
        "LOG_LEVEL": "`DEBUG`, `INFO`, `WARNING` or `ERROR`. Lines go to stderr, as JSON unless it"
        " is a terminal",
    },
    "The first Razorpay account": {
        "RAZORPAY_KEY_ID": "for `coinslot merchants account asha razorpay --from-environment`,"
        " which stores it",
        "RAZORPAY_KEY_SECRET": "the same",
        "RAZORPAY_WEBHOOK_SECRET": "the same",
    },
    "The first account at Tmetr": {
        "TMETR_HOST": "for `coinslot coffee account asha`, which stores it: the address of the"
        " telemetry that commands [coffee machines](coffee.md)",
        "TMETR_TOKEN": "the same: its token",
    },
    "Windows of time": {
        "ORDER_EXPIRATION_MINUTES": "an order placed on a page waits for its payment; money that"
        " was taken later goes back",
        "COINSLOT_UNPAID_S": "so long an unpaid order, and an unpaid code, counts against its"
        " network and its browser",
        "COINSLOT_HOLD_S": "so long a code that was shown is said to be in the way of the next"
        " customer, where it may be of the last piece; it keeps nobody from paying",
        "COINSLOT_CODE_WAIT_S": "an order's code that cannot be made so soon is refused instead",
        "COINSLOT_CODES_PER_MINUTE": "codes that one machine's page has made at its gateway in a"
        " minute",
        "COINSLOT_NETWORK_CODES_PER_MINUTE": "of them, for one network (an IPv4 address, the /64 of"
        " an IPv6 address); a browser that has paid before is not counted with its network",
        "COINSLOT_NETWORK_UNPAID_CODES": "of them unpaid within `COINSLOT_UNPAID_S`, for one"
        " network",
        "COINSLOT_NETWORK_ORDERS": "unpaid orders of one network at one machine within"
        " `COINSLOT_UNPAID_S`",
        "COINSLOT_BROWSER_ORDERS": "the same, of one browser",
        "COINSLOT_DISPATCH_WINDOW_S": "from the gateway's capture time to the last offer to the"
        " machine; past it the money goes back",
        "COINSLOT_OFFER_S": "one offer waits for its ACCEPT, three times",
        "COINSLOT_SILENT_OFFERS": "so many offers in a row without an answer stop a machine",
        "COINSLOT_SILENT_PAUSE_S": "it sells nothing for so long, then one offer tries it",
        "COINSLOT_TEMP_LOCK_S": "the same of one that says that it is too warm, and has no food"
        " lock",
        "COINSLOT_LEASE_MS": "the machine may start within it, by its own clock",
        "COINSLOT_CHOOSE_S": "the same where the machine has a controller of its own (MDB): its"
        " customer chooses within it",
        "COINSLOT_RUN_S": "longest run of a machine and its flush, counted after the lease",
        "COINSLOT_CONFIG_S": "a configuration is sent again to a machine that does not say that it"
        " has applied it; the pauses grow to twenty times this",
        "COINSLOT_CONFIG_HOLD_S": "a new configuration waits at most so long, while its machine is"
        " online, for units that were paid under the one before; money for what is not begun then"
        " goes back",
        "COINSLOT_QUERY_S": "between two questions to a silent machine; twelve times as long once"
        " the unit is in doubt",
        "COINSLOT_IN_DOUBT_S": "from GO to the settlement by policy",
        "COINSLOT_COUNTER_DISPATCH_S": "staff of a counter accept an order within it of its"
        " payment, or the money goes back",
        "COINSLOT_PREPARE_S": "an order that was accepted is made ready within it, or the money"
        " goes back",
        "COINSLOT_PICKUP_S": "an order that is ready is fetched within it, or the money goes back",
        "COINSLOT_CODE_S": "the code that hands an order over is good so long, from the payment on,"
        " and a new one from when it is ready",
        "COINSLOT_BOARD_SILENT_S": "a board behind a counter that says nothing for longer counts as"
        " closed",
        "COINSLOT_ALARM_REPEAT_S": "an order at a counter that nobody accepts sounds again after",
        "COINSLOT_ALARM_TELL_S": "and its staff get mail and a push; sooner where no board is open",
        "COINSLOT_ALARM_CALL_S": "and the counter's phone is called",
        "COINSLOT_ALARM_PAUSE_S": "between two such calls to one counter",
        "COINSLOT_PRINT_AGAIN_S": "between two tries to reach a printer",
        "COINSLOT_PRINT_LATE_S": "a ticket that was not sent by then is not printed",
        "COINSLOT_PRINT_ANSWER_S": "a printer that was sent a ticket says within it what became of"
        " it, or it counts as not confirmed",
        "COINSLOT_PRINT_SHOWN_S": "the board shows so long what did not come out of a printer",
        "COINSLOT_GRACE_S": "a coffee machine's command that was taken counts as a cup after it,"
        " unless its customer says that nothing came",
        "COINSLOT_HEARD_S": "a coffee machine whose last heartbeat is older sells nothing",
        "COINSLOT_DECIDE_S": "a person may decide about a cup that its customer denies; then policy"
        " does",
        "COINSLOT_MATCH_S": "money that matches nothing waits so long before the gateway is asked"
        " whose it is",
        "COINSLOT_CAPTURE_S": "an unmatched capture that is still open after it is a breach for"
        " `coinslot audit`",
        "COINSLOT_PAGE_ASK_S": "between two looks at the gateway, or at the machine, that the pages"
        " of one order cause",
        "COINSLOT_POLL_S": "between two looks at a QR code's payments, for webhooks that were lost",
        "COINSLOT_ONLINE_S": "a machine unheard for longer is offline: no pay button, no offer",
        "COINSLOT_ATTEMPT_LOOK_S": "first pause before an unclear payment of the merchant API is"
        " looked at again; it doubles",
        "COINSLOT_ATTEMPT_PAUSE_MAX_S": "longest such pause",
        "COINSLOT_PROCESSING_S": "a payment of the merchant API says so long, as"
        " `processing_deadline_at`, when it should be clear; after it a person has a case",
        "COINSLOT_COUNTERS_S": "between two looks at the machines' own counters",
        "COINSLOT_COUNTER_QUIET_S": "all of a machine is settled for so long: its counter counts",
        "COINSLOT_CASES_S": "between two looks at what wants a person",
        "COINSLOT_NIGHTLY_AFTER_S": "so long after the end of a day (UTC) its books are compared",
        "COINSLOT_PAID_OUT_S": "a capture that its gateway has not paid out by then is a case",
        "COINSLOT_AUDIT_EVERY_S": "between two audits that the worker makes without being asked"
        " (page Proof of the console); 0: it makes none",
        "COINSLOT_ANSWER_S": "a call with an idempotency key runs at most so long; then the same"
        " call may go on with it",
        "COINSLOT_BREAKER_FAILURES": "calls to collect in a row, without a clear answer from a"
        " gateway account, after which new payments are not sent there",
        "COINSLOT_BREAKER_WINDOW_S": "all of them within it",
        "COINSLOT_BREAKER_PAUSE_S": "before one payment is let through to find out whether the"
        " gateway is back; refunds and looks never wait",
        "COINSLOT_KEYS_KEPT_S": "an idempotency key and its answer are kept so long at least, and"
        " as long as the payment is open",
        "COINSLOT_DELIVERIES_KEPT_S": "a webhook to a merchant and its tries are kept so long after"
        " it was delivered, given up or withdrawn; the event stays in `GET /events`",
        "COINSLOT_REFUND_LOOK_S": "first pause before a refund is looked at again; it doubles",
        "COINSLOT_REFUND_PAUSE_MAX_S": "longest such pause",
        "COINSLOT_CLOCK_SKEW_S": "our clock may differ from a gateway's by so much before a person"
        " is told, and before a clock that is ahead is allowed for",
        "COINSLOT_RECEIPT_LOOK_S": "first pause before a gateway is asked about a fiscal receipt"
        " again; it doubles",
        "COINSLOT_RECEIPT_PAUSE_MAX_S": "longest such pause",
        "COINSLOT_RECEIPT_LATE_S": "a receipt is registered within it after its money has moved;"
        " else it is a case ([receipts](receipts.md))",
        "COINSLOT_RECEIPT_CONTACTS_KEPT_S": "where a receipt went is forgotten so long after it was"
        " registered",
        "COINSLOT_REFUND_OWED_S": "a refund that is refused for now (no balance) becomes `owed`, a"
        " person's, once it is older than this",
    },
    "Signing in": {
        "COINSLOT_ACCESS_TOKEN_S": "an access token (JWT) is good for it, while its session lasts",
        "COINSLOT_REFRESH_GRACE_S": "a refresh token that was used is answered so long with the"
        " same successor; after it, its session ends",
        "COINSLOT_SESSION_IDLE_S": "a session that nobody used so long is over",
        "COINSLOT_SESSION_LIFE_S": "a session is over after it, used or not; so long after its end"
        " it is forgotten",
        "COINSLOT_STEP_UP_S": "so long after someone showed a factor, what needs a fresh proof may"
        " be done",
        "COINSLOT_CHALLENGE_S": "a challenge (the second factor, a passkey) is answered within it",
        "COINSLOT_SIGN_IN_WINDOW_S": "failed tries to sign in are counted within it",
        "COINSLOT_SIGN_IN_TRIES": "of them, for one account from one network; and wrong codes of"
        " one person",
        "COINSLOT_ACCOUNT_TRIES": "of them, for one account from everywhere",
        "COINSLOT_NETWORK_TRIES": "of them, from one network (an IPv4 address, the /64 of an IPv6"
        " address)",
        "COINSLOT_INVITATION_S": "an invitation may be accepted within it",
        "COINSLOT_RESET_S": "a new password may be set with a reset code within it",
        "COINSLOT_DEVICE_KEY_S": "an API key of a device is good for it, unless it is asked for"
        " less",
        "COINSLOT_API_KEY_OVERLAP_S": "a merchant's old API key works so long beside the new one",
        "COINSLOT_GATEWAY_SECRET_OVERLAP_S": "a gateway's webhooks are still believed so long under"
        " a secret that was replaced: retries stay signed with it",
        "COINSLOT_DEVICE_KEY_OVERLAP_S": "a device's old API key works so long beside the new one",
    },
    "The engine": {
        "COINSLOT_SWEEP_S": "due rows are looked for so often even when nothing woke the sweeper",
        "COINSLOT_ROW_LEASE_S": "a row that a killed process worked on is taken by another after"
        " it; while the work runs it is renewed, however long a gateway takes",
        "COINSLOT_CALLS_PER_ACCOUNT": "rows of one kind (refunds, say) that are worked at once for"
        " one gateway account, by all processes together",
        "COINSLOT_GATEWAY_TIMEOUT_S": "one call to a gateway; then its outcome is unknown",
        "COINSLOT_WEBHOOK_ANSWER_S": "a gateway's webhook is answered within it: with 503, which"
        " asks for it again, when PostgreSQL takes longer to keep it",
        "COINSLOT_AUDIT_GRACE_S": "what is late by less is in work, for `coinslot audit`",
    },
    "The mirror": {
        "COINSLOT_FIREBASE_URL": "the Firebase Realtime Database that shows all"
        " ([mirror.md](mirror.md)): `https://<database>.firebaseio.com`, or"
        " `http://host:port/?ns=<database>` of an emulator. Without it nothing is mirrored",
        "COINSLOT_FIREBASE_CREDENTIALS": "path of a service account's JSON file; an emulator may do"
        " without",
        "COINSLOT_MIRROR_ROUND_S": "between two rounds over the machines: signs of life, who is"
        " offline, printed codes",
    },
    "Pictures": {
        "COINSLOT_PICTURES": "folder of uploaded pictures; several computers share it, or use a"
        " bucket. Without it: `pictures` in the data folder",
        "COINSLOT_PICTURES_PREFIX": "a CDN in front of the pictures, such as"
        " `https://cdn.example.com`: their addresses on pages and in the API begin with it, and it"
        " asks this server for `/pictures/...`. Without it they are of this site",
        "COINSLOT_S3_ENDPOINT": "an S3-compatible service, such as `https://s3.example.com`: then"
        " pictures lie in a bucket, and no folder is used",
        "COINSLOT_S3_BUCKET": "its bucket, which exists already and needs no public access",
        "COINSLOT_S3_REGION": "its region, which requests are signed for",
        "COINSLOT_S3_KEY_ID": "of a key that may put, get and delete objects in that bucket",
        "COINSLOT_DEVICES_S3_ENDPOINT": "where machines reach that bucket, such as"
        " `https://files.example.com`: then they load firmware from it, by an address that is"
        " signed for one object and ends within the hour, and from here where that fails."
        " Without it they load it from here",
        "COINSLOT_S3_SECRET": "the secret of that key",
        "COINSLOT_PICTURES_KEPT_S": "a picture that nothing shows ends so long after its last"
        " upload",
    },
    "Webhooks to merchants": {
        "COINSLOT_WEBHOOK_TIMEOUT_S": "one try; then it failed",
        "COINSLOT_WEBHOOK_PAUSES_S": "before each try after the first, separated by commas, each"
        " made longer by up to a fifth; after the last of them a delivery is given up",
        "COINSLOT_WEBHOOK_OVERLAP_S": "after a rotation the old secret signs beside the new one",
        "COINSLOT_WEBHOOK_DISABLE_S": "an endpoint that only fails for so long is disabled",
        "COINSLOT_WEBHOOK_RETRY_AFTER_MAX_S": "longest pause that an endpoint's `Retry-After` gets",
        "COINSLOT_WEBHOOK_PRIVATE_ADDRESSES": "`true` allows plain `http://` and addresses inside"
        " the own network. For tests and demos: a merchant could make this server call any other"
        " beside it",
    },
    "Notices to people": {
        "COINSLOT_SMTP_URL": "the mail server, `smtp://login:password@host:port` (STARTTLS),"
        " `smtps://` (TLS from the start) or `smtp+plain://` (neither: for a server beside this"
        " one). Without it no mail goes out",
        "COINSLOT_SMTP_FROM": "who writes: an address, or `Name <address>`",
        "COINSLOT_SMTP_CA_FILE": "path of the mail server's certificate (PEM), where no known"
        " authority signed it",
        "COINSLOT_NOTICES_S": "between two looks at what people are to be told",
        "COINSLOT_MACHINE_LOG_LINES": "lines of one machine's log that a day keeps",
        "COINSLOT_MACHINE_LOGS_KEPT_S": "a line of a machine's log",
        "COINSLOT_SHORT_SAMPLES_KEPT_S": "five minutes of a machine, for the chart of a day",
        "COINSLOT_HOUR_SAMPLES_KEPT_S": "its hours, for that of a month",
        "COINSLOT_DAY_SAMPLES_KEPT_S": "its days, for that of years",
        "COINSLOT_SOLD_OUT_SOON_S": "a slot that will probably be sold out within so long of the"
        " last midnight is told, by what it usually sells; a change counts from the next night on",
        "COINSLOT_MACHINE_SILENT_S": "a machine that is not heard for so long is told",
        "COINSLOT_JOURNAL_FULL_PERCENT": "a machine whose journal is so full is told",
        "COINSLOT_RESTARTS_AN_HOUR": "a machine that starts so often in an hour is told",
        "COINSLOT_WEAK_SIGNAL_DBM": "a machine with a Wi-Fi signal of -85 dBm or less is told",
        "COINSLOT_MACHINE_BACK_S": "one that was silent is told to be back when it was heard for"
        " so long: one that comes and goes is one notice",
        "COINSLOT_NOTICE_GATHER_S": "what comes within it is told together",
        "COINSLOT_NOTICE_PAUSE_S": "between two notices of one kind; what comes meanwhile is told"
        " together after it",
        "COINSLOT_NOTICES_KEPT_S": "a notice is forgotten so long after it ended",
        "COINSLOT_CALL_LOGS_KEPT_S": "whom a call or a text message reached is forgotten so long"
        " after it ended; that it was made, and what it cost, stays",
        "COINSLOT_LOGS_KEPT_S": "wrong codes, and the networks that orders came from (as digests),"
        " are forgotten so long after",
        "COINSLOT_PAYMENT_RECORDS_KEPT_S": "a payment names its payer so long; its record stays",
    },
    "Messages to customers of a counter": {
        "COINSLOT_MESSAGES": "how text messages and calls go out: `twilio`, or `console`, which"
        " writes them into the log with digits and links hidden. Without it customers are asked for"
        " no phone, and the order's page tells them everything",
        "TWILIO_ACCOUNT_SID": "the account, `AC` and 32 digits",
        "TWILIO_AUTH_TOKEN": "its token, which also signs callbacks",
        "COINSLOT_TWILIO_OLD_TOKENS": "tokens that still sign callbacks while one is replaced,"
        " separated by commas",
        "TWILIO_PHONE_NUMBER": "the number that sends and calls, by E.164",
        "TWILIO_MESSAGING_SERVICE_SID": "a messaging service that sends instead of the number",
        "TWILIO_API_KEY": "a key that calls the API instead of the token; with its secret",
        "TWILIO_API_SECRET": "the secret of that key",
        "COINSLOT_TWILIO_URL": "address of the API; tests name an emulated one",
        "COINSLOT_CODE_PEPPERS": "keys of the digests of codes, `id:base64` of 32 bytes each,"
        " separated by commas; the first makes new ones, the others still open what they made"
        " ([how to rotate them](counter.md#the-code)). Without it one is made from"
        " `COINSLOT_KEYS`",
        "COINSLOT_PHONE_MESSAGES": "text messages and calls to one phone in a day, of one merchant",
        "COINSLOT_NETWORK_MESSAGES": "the same, for orders from one network",
        "COINSLOT_OUTLET_MESSAGES": "the same of one outlet in an hour",
        "COINSLOT_MESSAGE_CENTS": "what one counts as while its service has not said its price",
        "COINSLOT_MERCHANT_MESSAGE_CENTS": "what those of one merchant may cost in a day; what is"
        " above any of these is not sent, and the order's page says so",
        "COINSLOT_RESEND_S": "between two requests of a customer to have the code sent again",
        "COINSLOT_RESENDS": "so many of them for one order",
    },
    "For the tests": {
        "COINSLOT_SANDBOX_URL": "address of emulated gateways: accounts that are added in the"
        " console may be there, to practise; `coinslot demo` sets its own",
        "COINSLOT_FAULT": "`die:<point>:<count>`: the process kills itself when it reaches the"
        " point for the n-th time. Never set it where money is real",
    },
}

UNITS = {"_MS": "ms", "_S": "s", "_MINUTES": "min"}


def page() -> str:
    found, told = dict(settings()), [name for group in GROUPS.values() for name in group]
    if set(found) != set(told) or len(told) != len(set(told)):
        raise ValueError(f"no meaning, or no such setting: {sorted(set(found) ^ set(told))}")
    return HEAD + "".join(
        f"\n## {title}\n\n| variable | default | unit | meaning |\n| --- | --- | --- | --- |\n"
        + "".join(
            f"| `{name}` | {found[name]} | {_unit(name)} | {meaning} |\n"
            for name, meaning in group.items()
        )
        for title, group in GROUPS.items()
    )


def settings() -> Iterator[tuple[str, str]]:
    """Every variable and its default, from the settings and from the options of the commands."""
    plain, windows = Settings(), Windows()
    yield from ((name, _shown(getattr(plain, field))) for name, field in NAMES.items())
    yield from ((name, _shown(getattr(windows, field))) for name, field in WINDOW_NAMES.items())
    yield "ORDER_EXPIRATION_MINUTES", _shown(windows.order_s / 60)
    for _, option in options(typer.main.get_command(build())):
        variable = option.envvar
        if isinstance(variable, str) and variable not in NAMES:
            yield variable, _shown(option.default)


def options(command: Any, path: str = "coinslot") -> Iterator[tuple[str, Any]]:
    """Every option and argument of the command line, with the command it belongs to."""
    yield from ((path, parameter) for parameter in command.params)
    for name, below in getattr(command, "commands", {}).items():
        yield from options(below, f"{path} {name}")


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return f"`{','.join(f'{one:g}' for one in value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _unit(name: str) -> str:
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
