"""What the schema says of each call in words: its name, its answer, and what the groups are."""

from collections.abc import Mapping

from litestar.openapi.spec import Tag

from coinslot.api.openapi import machines, orders, people

TAGS = (
    Tag("payments", "Take money: make a payment, confirm it, and hold or capture it."),
    Tag("refunds", "Give money back."),
    Tag("events", "What happened, to be read by who has no public address."),
    Tag("webhooks", "What happened, sent to you: endpoints, deliveries, sending again."),
    Tag("machines", "The life of a machine: set up, configured, enrolled, out of service."),
    Tag("orders", "What customers bought at machines: found, read, and given back."),
    Tag("sign-in", "Who you are: sign in, second factors, where you are signed in."),
    Tag("people", "Who works for the merchant: invitations, roles, rules, the audit log."),
    Tag("devices", "API keys of machines' own programs."),
    Tag("health", "How the installation is."),
    Tag("gateways", "Where payment gateways send their webhooks; not for merchants."),
)

# By operation: what it is called in a list, and what an answer of 2xx is.
CALLS: Mapping[str, tuple[str, str]] = {
    "createPayment": ("Make a payment", "The payment; nothing is charged yet."),
    "listPayments": ("List payments", "A page of payments, newest first."),
    "readPayment": ("Read a payment", "The payment with all its attempts."),
    "confirmPayment": ("Confirm a payment", "The payment; its status says what became of it."),
    "capturePayment": ("Capture what is held", "The payment, captured, or still processing."),
    "cancelPayment": ("Cancel a payment", "The payment, canceled, or still processing."),
    "refundPayment": ("Refund a payment", "The refund, on its way."),
    "listRefunds": ("List a payment's refunds", "All refunds of the payment, oldest first."),
    "readRefund": ("Read a refund", "The refund."),
    "listEvents": ("Read the feed of events", "A page of events, oldest first."),
    "readEvent": ("Read an event", "The event."),
    "createWebhookEndpoint": ("Make a webhook endpoint", "The endpoint with its secret."),
    "listWebhookEndpoints": ("List webhook endpoints", "All endpoints, oldest first."),
    "readWebhookEndpoint": ("Read a webhook endpoint", "The endpoint, without its secret."),
    "changeWebhookEndpoint": ("Change a webhook endpoint", "The endpoint as it is now."),
    "removeWebhookEndpoint": ("Remove a webhook endpoint", "It is removed."),
    "rotateWebhookSecret": ("Rotate an endpoint's secret", "The endpoint with its new secret."),
    "testWebhookEndpoint": ("Send a test event", "The endpoint; the event is on its way."),
    "replayWebhookEndpoint": ("Send a range of events again", "How many deliveries are due."),
    "listWebhookDeliveries": ("List deliveries", "A page of deliveries, newest first."),
    "readWebhookDelivery": ("Read a delivery", "The delivery with each of its tries."),
    "redeliverWebhook": ("Send a delivery again", "The delivery, due at once."),
    **people.CALLS,
    **orders.CALLS,
    "onboardMachine": ("Set a machine up", "The machine, with its device's enrolment."),
    "readMachineConfig": ("Read a machine's configuration", "The configuration; see `ETag`."),
    "writeMachineConfig": ("Replace a machine's configuration", "The configuration as it is now."),
    "readMachineStatus": ("Tell whether a machine can sell", "Its state, slots and faults."),
    "provisionDevice": ("Give a device a new secret", "All that the device needs, this once."),
    "decommissionMachine": ("Take a machine out of service", "It is out of service."),
    "readHealth": ("Tell how the installation is", "Healthy or degraded: it can be used."),
    "readLiveness": ("Tell that the process answers", "It answers."),
    "readProofKeys": (
        "Read the key that signs proofs of orders",
        "The public key, as a JSON Web Key Set, and its mark.",
    ),
    "readMetrics": ("Read metrics", "For Prometheus, in its text format."),
    "takeWebhook": ("Take a webhook for the first account", "It is kept and worked on."),
    "takeAccountWebhook": ("Take a webhook for this account", "It is kept and worked on."),
}

# What an answer that is not 2xx means, of all calls or of one.
WRONG: Mapping[str, str] = {
    **machines.WRONG,
    **orders.WRONG,
    "400": "The request cannot be read: `details` names the field.",
    "401": "There is no key, or none of ours.",
    "403": "The key lacks the scope.",
    "404": "It is not there, or belongs to somebody else.",
    "409": "The first call with this Idempotency-Key still runs: send it again.",
    "413": "The body is too large.",
    "422": "Understood, and not possible: `code` says why.",
    "429": "Too often: send it again later.",
    "503": "Out of reach for a moment: send it again.",
    "503 readHealth": "Unhealthy: send nobody here.",
    "401 readMetrics": "The bearer token is not the one for metrics.",
    "401 takeWebhook": "The signature does not fit.",
    "401 takeAccountWebhook": "The signature does not fit.",
}
