"""Examples and words for the schema's calls of people, by operation; `described` puts them in."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_AT = "2026-11-21T12:00:00Z"
_PERSON, _SESSION = "0193d3a4-1c00-7000-8000-00000000a001", "0193d3a4-1c00-7000-8000-00000000a002"
_MERCHANT, _FACTOR = "0193d3a4-1c00-7000-8000-00000000a003", "0193d3a4-1c00-7000-8000-00000000a004"
_TOKENS: Json = {
    "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIuLi4ifQ.3FvQ",
    "refresh_token": "mC1x6uQ0eVbq7m3b0bqv2m0bT1Xn3m1vHkzYpQ4r5sE", "expires_in": 600,
}  # fmt: skip
_QUESTION: Json = {
    "challenge": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJwdXJwb3NlIjoic2lnbi1pbiJ9.9aTz",
    "passkey": {"challenge": "3q2-7w", "rpId": "pay.example", "userVerification": "required"},
}  # fmt: skip
_CODES: Json = {"recovery_codes": ["KJHGF-DSAPW", "ZXCVB-NMQWE"]}

# What a call needs beside someone who is signed in; None: nothing. Those that are not here need
# nobody at all.
NEEDS: Mapping[str, str | None] = {
    "readProfile": None, "signOut": None, "signOutEverywhere": None, "stepUp": None,
    "changePassword": None, "listSessions": None, "endSession": None, "listFactors": None,
    "beginTotp": None, "confirmTotp": None, "beginPasskey": None, "confirmPasskey": None,
    "removeFactor": None, "renewRecoveryCodes": None,
}  # fmt: skip
ANYONES = frozenset(("signIn", "refreshTokens", "askForPasskey"))
FRESH = frozenset(
    (
        "changePassword", "beginTotp", "beginPasskey", "confirmPasskey", "removeFactor",
        "renewRecoveryCodes",
    )
)  # fmt: skip


def knows(name: str) -> bool:
    """Whether this call is one of people's."""
    return name in NEEDS or name in ANYONES


def thing(name: str) -> str:
    """What a call asks for by its id."""
    return {"endSession": "session", "removeFactor": "factor"}.get(name, "one")


SENT: Mapping[str, Mapping[str, Json]] = {
    "signIn": {
        "login and password": {"login": "boris", "password": "cold masala cola"},
        "the second factor": {"challenge": _QUESTION["challenge"], "code": "492039"},
        "one of several merchants": {
            "login": "boris", "password": "cold masala cola", "merchant": "asha",
        },
    },
    "refreshTokens": {"the newest one": {"refresh_token": _TOKENS["refresh_token"]}},
    "stepUp": {
        "a code": {"code": "492039"},
        "of someone without a second factor": {"password": "cold masala cola"},
    },
    "changePassword": {"a new one": {"password": "ten cold bottles"}},
    "beginTotp": {"a phone": {"name": "my phone"}},
    "confirmTotp": {"its first code": {"code": "492039"}},
    "confirmPasskey": {
        "what the browser answered": {
            "challenge": _QUESTION["challenge"], "name": "laptop",
            "passkey": {"id": "3q2-7w", "rawId": "3q2-7w", "type": "public-key", "response": {}},
        },
    },
}  # fmt: skip

ANSWERED: Mapping[str, Mapping[str, Json]] = {
    "signIn": {"signed in": _TOKENS},
    "refreshTokens": {"the next ones": _TOKENS},
    "stepUp": {"of the session that replaces it": _TOKENS},
    "changePassword": {"of the session that replaces it": _TOKENS},
    "askForPasskey": {"for the browser": _QUESTION},
    "beginPasskey": {"for the browser": _QUESTION},
    "readProfile": {
        "an operator": {
            "sub": _PERSON, "tenantId": _MERCHANT, "role": "operator",
            "permissions": ["orders:read", "refunds:write"], "sid": _SESSION, "login": "boris",
            "name": "Boris", "merchant": "Asha Refreshments", "outlets": [],
            "factors": ["password", "totp"], "second_factor_missing": False, "proved_at": _AT,
        },
    },
    "listSessions": {
        "one": {"data": [{
            "id": _SESSION, "kind": "token", "merchant": _MERCHANT, "address": "203.0.113.7",
            "agent": "curl/8.5", "created_at": _AT, "used_at": _AT, "current": True,
        }]},
    },
    "listFactors": {
        "a phone": {
            "factors": [{
                "id": _FACTOR, "kind": "totp", "name": "my phone", "created_at": _AT,
                "used_at": None,
            }],
            "recovery_codes_left": 10,
        },
    },
    "beginTotp": {
        "for the app": {
            "id": _FACTOR, "secret": "JBSWY3DPEHPK3PXP",
            "uri": "otpauth://totp/pay.example:boris?secret=JBSWY3DPEHPK3PXP&issuer=pay.example",
        },
    },
    "confirmTotp": {"with the first factor": _CODES},
    "confirmPasskey": {"not the first factor": {"recovery_codes": []}},
    "renewRecoveryCodes": {"new ones": _CODES},
}  # fmt: skip

CALLS: Mapping[str, tuple[str, str]] = {
    "signIn": ("Sign in", "The tokens of a new session."),
    "refreshTokens": ("Take the next tokens", "The next tokens of the session."),
    "askForPasskey": ("Ask for a passkey", "What the browser asks the passkey."),
    "readProfile": ("Read who is signed in", "Who it is, and what they may do now."),
    "signOut": ("Sign out", "The session is over."),
    "signOutEverywhere": ("Sign out everywhere", "Every session of yours is over."),
    "stepUp": ("Show a factor again", "The tokens of the session that replaces this one."),
    "changePassword": ("Change your password", "The tokens of the session that replaces all."),
    "listSessions": ("List where you are signed in", "Your sessions, the last used first."),
    "endSession": ("End a session", "It is over."),
    "listFactors": ("List your second factors", "Your second factors."),
    "beginTotp": ("Begin to add an app", "What the app needs; it counts after a code of it."),
    "confirmTotp": ("Confirm an app", "Recovery codes, with the first factor."),
    "beginPasskey": ("Begin to add a passkey", "What the browser asks the passkey."),
    "confirmPasskey": ("Keep a passkey", "Recovery codes, with the first factor."),
    "removeFactor": ("Remove a second factor", "It is removed."),
    "renewRecoveryCodes": ("Make new recovery codes", "Ten new codes; the old ones ended."),
}

WRONG: Mapping[str, str] = {
    "401": "Nobody is signed in, or not any more.",
    "403": "The role may not do that, or a factor has to be shown again.",
    "401 signIn": "Wrong, or something is missing: `code` says what.",
    "403 signIn": "Known, and not let in: `code` says why.",
    "429": "Too many tries failed: send it again later.",
    "503": "Many sign in at this moment: send it again.",
}

_CHALLENGE = "Of the answer that asked for more; in place of login and password."
_CODE = "Six digits of the app, or a recovery code."
_ANSWER = "What `navigator.credentials` answered, as JSON."
_NAME = "Your own word for it."
_MADE = "When it was made."
_USED = "When it was last used."
_TOKEN_FIELDS = {
    "access_token": "For the header Authorization, as `Bearer`.",
    "refresh_token": "Gets the next ones, once.", "expires_in": "Seconds that it is good for.",
}  # fmt: skip
FIELDS: Mapping[str, Mapping[str, str]] = {
    "Credentials": {
        "login": "Of the person.", "password": "Of the person.", "challenge": _CHALLENGE,
        "code": _CODE, "passkey": _ANSWER,
        "merchant": "Id or slug of one of several, or `installation`.",
    },
    "StepUp": {
        "password": "Of someone without a second factor.", "challenge": "Of POST /auth/challenge.",
        "code": _CODE, "passkey": _ANSWER,
    },
    "RefreshRequest": {"refresh_token": "The newest one."},
    "NewPassword": {"password": "10 to 1024 characters."},
    "NewTotp": {"name": _NAME},
    "TypedCode": {"code": "Six digits of the app."},
    "PasskeyAnswer": {"challenge": "As it was answered.", "passkey": _ANSWER, "name": _NAME},
    "SignInTokens": _TOKEN_FIELDS,
    "Question": {
        "challenge": "To be sent back with the passkey's answer.",
        "passkey": "Options for `navigator.credentials`, as JSON.",
    },
    "Profile": {
        "sub": "Of the person.", "tenantId": "The merchant; null for the installation.",
        "role": "What they are there.", "permissions": "What they may do now.",
        "sid": "Of the session.", "login": "As they sign in.", "name": "As they are called.",
        "merchant": "Its name.", "outlets": "Where staff works; else none, which means all.",
        "factors": "What was shown to sign in.",
        "second_factor_missing": "The merchant asks for one: nothing else is allowed.",
        "proved_at": "When a factor was shown.",
    },
    "SessionList": {"data": "The sessions."},
    "SessionPlace": {
        "id": "Of the session.", "kind": "With a cookie or with tokens.",
        "merchant": "For which; null for the installation.", "address": "Where from.",
        "agent": "Which browser or program.", "created_at": "When it began.", "used_at": _USED,
        "current": "This one.",
    },
    "Factors": {"factors": "All of them.", "recovery_codes_left": "How many can still be used."},
    "Factor": {
        "id": "Of the factor.", "kind": "An app that makes codes, or a passkey.", "name": _NAME,
        "created_at": _MADE, "used_at": _USED,
    },
    "Enrolment": {
        "id": "To be confirmed with a code.", "secret": "To type into the app.",
        "uri": "For a QR code that the app reads.",
    },
    "RecoveryCodes": {"recovery_codes": "Each is good once; none where there are some already."},
}  # fmt: skip
VALUES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("Profile", "role"): ("admin", "operator", "viewer", "staff", "installation"),
    ("SessionPlace", "kind"): ("token", "cookie"),
    ("Factor", "kind"): ("totp", "passkey"),
}
