"""What the sandbox's own pages and test interface refuse; gateways have errors of their own."""


class SandboxError(Exception):
    """Base of all refusals of the sandbox's test interface."""

    status = 400


class UnknownError(SandboxError):
    """There is no such machine, account, payment or code."""

    status = 404


class RefusedError(SandboxError):
    """The customer's app, or the gateway's dashboard, does not allow this now."""

    status = 409


class UnreadableError(SandboxError):
    """The request or the configuration cannot be read."""

    status = 400
