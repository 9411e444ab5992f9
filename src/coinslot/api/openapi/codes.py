"""Every code that an answer of the API can carry: its status, a message as it would be said, and
which calls answer with it. docs/api.md has the same in a table."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from coinslot.api.openapi import machines, orders, people, rollouts, stock, stores


class Code(Struct, frozen=True):
    """An error of the API. Without calls, any call of that status can be answered with it."""

    status: int
    message: str
    calls: Sequence[str] = ()


_COUNTER = ("readMenu", "createCheckoutSession")
_ORDERING = ("createCheckoutSession",)
_HOOK = ("createWebhookEndpoint", "changeWebhookEndpoint")
CODES: Mapping[str, Code] = {
    "bad_request": Code(
        400, "The request is not valid: details names what, by the path of the field."
    ),
    "idempotency_key_missing": Code(
        400, "Send an Idempotency-Key of at most 255 characters.", ("with a key",)
    ),
    "idempotency_key_too_long": Code(
        400, "An Idempotency-Key has at most 255 characters.", ("with a key",)
    ),
    "unauthorized": Code(401, "This needs an API key: Authorization: Bearer sk_..."),
    "forbidden": Code(403, "This key may not do that; it needs {scope}."),
    "not_found": Code(404, "There is no such {thing}."),
    "idempotency_key_busy": Code(
        409, "the first call with this key is still running", ("with a key",)
    ),
    "idempotency_key_reused": Code(
        422, "this Idempotency-Key was used with another request", ("with a key",)
    ),
    "bad_receipt_contact": Code(
        422, "receipt_contact is an e-mail address or +79161234567.", ("createPayment",)
    ),
    "unknown_currency": Code(422, "XYZ is not a currency.", ("createPayment",)),
    "no_gateway": Code(
        422, "No gateway can collect 5000 JPY here, with a test key.",
        ("createPayment", "confirmPayment"),
    ),
    "unknown_gateway": Code(422, "There is no gateway 'stirpe'.", ("createPayment",)),
    "gateway_limit": Code(
        422, "stripe does not take this. metadata: at most 47 entries", ("createPayment",)
    ),
    "not_confirmable": Code(
        422, "A payment that was called off cannot be confirmed.", ("confirmPayment",)
    ),
    "not_captured": Code(
        422, "Of a payment that is created nothing can be captured.", ("capturePayment",)
    ),
    "capture_exceeds_payment": Code(422, "That much is not held.", ("capturePayment",)),
    "not_canceled": Code(
        422, "A payment that is succeeded cannot be called off.", ("cancelPayment",)
    ),
    "refund_exceeds_payment": Code(
        422, "That much is not left to give back.", ("refundPayment",)
    ),
    "refund_above_limit": Code(
        403, "That is above the merchant's limit for refunds. This key needs refunds:large.",
        ("refundPayment", "refundOrder"),
    ),
    "not_paid": Code(422, "No money of this order is here to give back.", ("refundOrder",)),
    "nothing_left": Code(422, "Nothing of this order is left to give back.", ("refundOrder",)),
    "refund_exceeds_order": Code(
        422, "That much is not left to give back: 2500 is.", ("refundOrder",)
    ),
    "not_sent_yet": Code(
        422, "Some of it was not sent yet: name the unit, and it is withdrawn.", ("refundOrder",)
    ),
    "bad_url": Code(422, "This URL cannot be used: it is not https.", _HOOK),
    "unknown_type": Code(
        422, "There are no events of type payment.paid.",
        (*_HOOK, "listEvents", "replayWebhookEndpoint"),
    ),
    "too_many_endpoints": Code(422, "At most 50 are possible.", ("createWebhookEndpoint",)),
    "too_many_tests": Code(422, "Others are still on their way.", ("testWebhookEndpoint",)),
    "bad_range": Code(422, "`since` has to be before `until`.", ("replayWebhookEndpoint",)),
    "range_too_long": Code(
        422, "More than 10000 events are in it: ask for less at once.", ("replayWebhookEndpoint",)
    ),
    "gateway_unavailable": Code(
        503, "the gateway does not answer; nothing was asked of it", ("confirmPayment",)
    ),
    # Of stock:
    "invalid_refill": Code(422, "M01 has no slot B9.", ("refillMachine",)),
    "invalid_slots": Code(
        422, "Nothing was changed: details names what, by the line or the machine.",
        ("previewSlotTable", "applySlotTable"),
    ),
    "invalid_template": Code(422, "A shipped template has this name.", ("makeTemplate",)),
    "invalid_route": Code(422, "there is no machine M99.", ("writeRoute",)),
    "invalid_day": Code(
        422, "the day of the visit is over, or more than 60 days away.", ("readPickList",)
    ),
    # Of what machines say of themselves:
    "not_locked": Code(409, "M01 is not locked.", ("unlockMachine",)),
    "invalid_counts": Code(
        422, "It has no line ST, with which the counts begin.", ("compareMachineCounts",)
    ),
    # Of machines:
    "machine_exists": Code(409, "There is a machine M01 already.", ("onboardMachine",)),
    "printed_codes": Code(
        409, "Printed codes would no longer be true: say what becomes of them.",
        ("writeMachineConfig", "applySlotTable"),
    ),
    "out_of_service": Code(
        409, "M01 is out of service.",
        ("writeMachineConfig", "provisionDevice", "applySlotTable"),
    ),
    "units_open": Code(
        409, "1 unit is not settled yet, until 2026-11-21 12:10 UTC at the latest.",
        ("provisionDevice", "decommissionMachine"),
    ),
    "stale_config": Code(
        412, "the configuration is at version 4 by now: read it again.",
        ("writeMachineConfig", "applySlotTable"),
    ),
    "invalid_config": Code(
        422, "Nothing was changed: details names what, by the field.", ("writeMachineConfig",)
    ),
    "invalid_machine": Code(
        422, "Nothing was set up: details names what, by the field.", ("onboardMachine",)
    ),
    "if_match_missing": Code(
        428, "Send the ETag of the configuration that you read as If-Match.",
        ("writeMachineConfig",),
    ),
    # Of firmware:
    "key_there": Code(409, "This key is registered already.", ("addFirmwareKey",)),
    "sequence_taken": Code(
        409, "another build for esp32-v1 has the sequence 7.", ("uploadFirmware",)
    ),
    "not_now": Code(
        409, "The roll-out is done.",
        ("startRollout", "pauseRollout", "resumeRollout", "abortRollout", "giveUpMachine"),
    ),
    "bad_manifest": Code(422, "The manifest cannot be read.", ("uploadFirmware",)),
    "other_image": Code(422, "The image is not the one that was signed.", ("uploadFirmware",)),
    "not_signed": Code(422, "None of your keys signed this manifest.", ("uploadFirmware",)),
    "expired": Code(
        422, "It expired at 2026-11-21 12:00.", ("uploadFirmware", "startRollout")
    ),
    "lower_sequence": Code(
        422, "Machines have the sequence 9, and refuse 7.", ("createRollout", "startRollout")
    ),
    "journal_unreadable": Code(
        422, "It writes journal format 2, which 1.4.0 cannot read.", ("createRollout",)
    ),
    "no_machines": Code(422, "No machine of this hardware is there.", ("startRollout",)),
    "another_rollout": Code(
        422, "Another roll-out for this hardware is under way.", ("startRollout",)
    ),
    # Of people:
    "invalid_credentials": Code(
        401, "Login or password is wrong.", ("signIn", "stepUp", "acceptInvitation")
    ),
    "second_factor_required": Code(
        401, "Send the challenge again, with a code or a passkey.",
        ("signIn", "stepUp", "acceptInvitation"),
    ),
    "invalid_code": Code(
        401, "This code is wrong, or was used before.",
        ("signIn", "stepUp", "confirmTotp", "acceptInvitation"),
    ),
    "invalid_passkey": Code(
        401, "This passkey is not known here, or did not sign this.", ("signIn", "stepUp")
    ),
    "challenge_expired": Code(
        401, "This took too long: sign in from the start.", ("signIn", "stepUp")
    ),
    "invalid_token": Code(
        401, "This sign-in is over. Sign in again.",
        ("signed in", "refreshTokens", "makeFirstAccount", "resetPassword", "takeDeviceToken"),
    ),
    "address_not_allowed": Code(
        403, "Not from this address: ask your admin.", ("signed in", "signIn", "refreshTokens")
    ),
    "no_membership": Code(403, "You work for nobody here any more.", ("signIn",)),
    "second_factor_missing": Code(
        403, "Your merchant asks for a second factor: add one first.", ("with a permission",)
    ),
    "step_up_required": Code(403, "Show a factor again: POST /auth/step-up.", ("fresh",)),
    "cross_site": Code(403, "This came from another site's page.", ("console",)),
    "merchant_required": Code(
        422, "Send the challenge again, and name the merchant.", ("signIn",)
    ),
    "weak_password": Code(
        422, "A password has 10 to 1024 characters.",
        ("changePassword", "acceptInvitation", "makeFirstAccount", "resetPassword"),
    ),
    "invalid_invitation": Code(
        401, "This invitation is unknown, used, or too old.", ("acceptInvitation",)
    ),
    "another_address": Code(
        422, "This invitation is for another address.", ("acceptInvitation",)
    ),
    "invitation_taken": Code(
        422, "Somebody accepted this a moment ago.", ("acceptInvitation",)
    ),
    "already_member": Code(
        422, "They work here already: change their role instead.", ("acceptInvitation",)
    ),
    "too_many_invitations": Code(422, "100 wait: revoke some first.", ("inviteMember",)),
    "no_address": Code(
        422, "Name the address of whom you invite.", ("inviteMember", "makeFirstAccount")
    ),
    "login_taken": Code(
        422, "Somebody has this login: choose another one.", ("makeFirstAccount",)
    ),
    "locks_you_out": Code(
        422, "Your own address 203.0.113.7 is not in this list.", ("setSecurityRules",)
    ),
    "bad_network": Code(
        422, "Write addresses or networks, such as 203.0.113.7 or 10.0.0.0/8.",
        ("setSecurityRules",),
    ),
    "unknown_permission": Code(
        422, "No money:read, only config:read, firmware:read, telemetry:write.",
        ("registerMachine",),
    ),
    "too_many_keys": Code(422, "20 keys are in use: revoke some first.", ("registerMachine",)),
    "second_factor_needed": Code(
        422, "Sign in with the factor that you have first.",
        ("beginTotp", "confirmTotp", "beginPasskey", "confirmPasskey"),
    ),
    "too_many_factors": Code(
        422, "At most 10 are possible: remove one first.", ("beginTotp", "beginPasskey")
    ),
    "no_such_factor": Code(
        422, "Recovery codes stand in for a second factor.", ("renewRecoveryCodes",)
    ),
    "bad_passkey": Code(
        422, "This passkey was not made for this address.", ("confirmPasskey",)
    ),
    "last_admin": Code(
        422, "Someone has to stay an admin: name another first.", ("changeMember", "removeMember")
    ),
    "unknown_role": Code(
        422, "There is no role owner: admin, operator, viewer, staff.",
        ("changeMember", "inviteMember"),
    ),
    "outlets_of_staff": Code(
        422, "Staff has one outlet or more, others have none.", ("changeMember", "inviteMember")
    ),
    "unknown_outlet": Code(
        422, "There is no outlet M99 here.", ("changeMember", "inviteMember", "registerMachine")
    ),
    "too_many_tries": Code(
        429, "Too many tries failed. Wait, then try again.",
        ("signIn", "stepUp", "confirmTotp", "acceptInvitation"),
    ),
    "busy": Code(
        503, "Many sign in at this moment. Try again.",
        (
            "signIn", "stepUp", "changePassword", "acceptInvitation", "makeFirstAccount",
            "resetPassword",
        ),
    ),
    # Of counters:
    "no_such_store": Code(404, "No store has this address.", _COUNTER),
    "no_such_order": Code(
        404, "There is no such order.", ("moveStaffOrder", "completeStaffOrder")
    ),
    "price_changed": Code(409, "It costs something else now.", _ORDERING),
    "sold_out": Code(409, "sold_out: latte", _ORDERING),
    "store_closed": Code(409, "The store takes no orders now.", _ORDERING),
    "slot_full": Code(409, "The kitchen has no time for it then.", _ORDERING),
    "unknown_item": Code(422, "The menu has no such item.", _ORDERING),
    "consent_missing": Code(
        422, "A phone or an e-mail needs consentVersion 2026-11: the text that was shown.",
        _ORDERING,
    ),
    "too_many_unpaid": Code(429, "Pay an order that was placed before.", _ORDERING),
    "code_needed": Code(
        422, "An order is completed by its code: POST .../complete.", ("moveStaffOrder",)
    ),
    "too_late": Code(
        409, "Its time is over: the money is on its way back.",
        ("moveStaffOrder", "completeStaffOrder"),
    ),
    "wrong_code": Code(422, "This is not the code.", ("completeStaffOrder",)),
    "code_expired": Code(
        410, "The code is too old. Set the order to READY again: its page shows a new one.",
        ("completeStaffOrder",),
    ),
    "code_locked": Code(
        409, "Five wrong codes: somebody of the merchant has to vouch for this order.",
        ("completeStaffOrder",),
    ),
    "too_many_wrong_codes": Code(
        429, "Too many wrong codes at this counter within an hour.", ("completeStaffOrder",)
    ),
    # Of those that take a webhook of a gateway:
    "bad_signature": Code(401, "the signature does not fit", ("gateway",)),
    "unknown_account": Code(404, "no such account", ("gateway",)),
    "too_many": Code(429, "tell it again later", ("gateway",)),
    "too_large": Code(413, "Request body too large.", ("gateway",)),
}  # fmt: skip


def codes_of(name: str, status: int, *, keyed: bool) -> Iterator[tuple[str, str]]:
    """The codes and messages with which this call answers with this status."""
    groups = {name, *_groups(name, keyed=keyed)}
    for code, said in CODES.items():
        meant = groups & set(said.calls) if said.calls else _is_general(code, name, status)
        if said.status == status and meant:
            yield code, said.message.format(scope=scope_of(name), thing=_thing(name))


def _groups(name: str, *, keyed: bool) -> Iterator[str]:
    if keyed:
        yield "with a key"
    if name.startswith("take"):
        yield "gateway"
    if any(name in room.NEEDS for room in (people, machines, stock, orders, stores, rollouts)):
        yield "signed in"
        if name not in people.NEEDS or people.NEEDS[name] is not None:
            yield "with a permission"
    if any(name in one.FRESH for one in (people, machines, rollouts)) or name == "refundOrder":
        yield "fresh"


def _is_general(code: str, name: str, status: int) -> bool:
    """Whether a code that names no call can be this call's."""
    if status == 400:
        return True
    if people.knows(name):
        return code == "not_found" or (code == "forbidden" and bool(people.NEEDS.get(name)))
    if name in stores.OPEN:
        return False
    return not name.startswith("take")


def scope_of(name: str) -> str:
    """What a key, or someone who is signed in, needs for this call."""
    if people.knows(name):
        return people.NEEDS.get(name) or ""
    if name in machines.NEEDS:
        return machines.NEEDS[name]
    if name in stock.NEEDS:
        return stock.NEEDS[name]
    if name in stores.NEEDS:
        return stores.NEEDS[name]
    if name in rollouts.NEEDS:
        return rollouts.NEEDS[name]
    if name in orders.NEEDS:
        return " and ".join(orders.NEEDS[name])
    if "Webhook" in name:
        return "webhooks:write"
    if "Event" in name:
        return "events:read"
    if name == "refundPayment":
        return "refunds:write"
    return f"payments:{'read' if name.startswith(('read', 'list')) else 'write'}"


def _thing(name: str) -> str:
    if "Deliver" in name or name == "redeliverWebhook":
        return "delivery"
    if "Webhook" in name:
        return "endpoint"
    if "Event" in name:
        return "event"
    if people.knows(name):
        return people.thing(name)
    if name in machines.NEEDS:
        return "machine"
    if name in stock.NEEDS:
        return "route"
    if name in rollouts.NEEDS:
        return "thing here"
    if name in orders.NEEDS or name in stores.NEEDS:
        return "order"
    return "refund" if name == "readRefund" else "payment"
