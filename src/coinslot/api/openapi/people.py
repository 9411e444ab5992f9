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
_CODES: Json = {"recovery_codes": ["KJHG-DSAP-WZXC-VBNM", "QWER-TYUP-ASDF-GHJK"]}
_INVITED: Json = {
    "id": "0193d3a4-1c00-7000-8000-00000000a005", "address": "dinesh@asha.example",
    "role": "operator", "outlets": [], "created_at": _AT, "expires_at": "2026-11-28T12:00:00Z",
    "token": None, "code": None,
}  # fmt: skip
_RULES: Json = {"second_factor_required": True, "allowed_networks": ["203.0.113.0/24"]}
_KEY: Json = {
    "keyId": "0193d3a4-1c00-7000-8000-00000000a006", "machineId": "M01", "tenantId": _MERCHANT,
    "name": "telemetry", "begins": "dk_Ab3d", "permissions": ["telemetry:write"],
    "createdAt": _AT, "expiresAt": "2027-11-21T12:00:00Z", "lastUsedAt": None, "revokedAt": None,
    "key": None,
}  # fmt: skip
_MADE_KEY = {"key": "dk_Ab3dmC1x6uQ0eVbq7m3b0bqv2m0bT1Xn3m1vHkzYpQ4"}

# What a call needs beside someone who is signed in; None: nothing. Those that are not here need
# nobody at all.
NEEDS: Mapping[str, str | None] = {
    "readProfile": None, "signOut": None, "signOutEverywhere": None, "stepUp": None,
    "changePassword": None, "listSessions": None, "endSession": None, "listFactors": None,
    "beginTotp": None, "confirmTotp": None, "beginPasskey": None, "confirmPasskey": None,
    "removeFactor": None, "renewRecoveryCodes": None, "readDeviceProfile": None,
    "listMembers": "people:read", "changeMember": "people:write", "removeMember": "people:write",
    "inviteMember": "people:write", "listInvitations": "people:read",
    "revokeInvitation": "people:write", "readSecurityRules": "people:read",
    "setSecurityRules": "merchant:write", "readAuditLog": "audit_log:read",
    "registerMachine": "devices:write", "listDeviceKeys": "devices:write",
    "rotateDeviceKey": "devices:write", "revokeDeviceKey": "devices:write",
}  # fmt: skip
ANYONES = frozenset(
    (
        "signIn", "refreshTokens", "askForPasskey", "acceptInvitation", "makeFirstAccount",
        "resetPassword", "takeDeviceToken",
    )
)  # fmt: skip
FRESH = frozenset(
    (
        "changePassword", "beginTotp", "beginPasskey", "confirmPasskey", "removeFactor",
        "renewRecoveryCodes", "changeMember", "removeMember", "inviteMember", "revokeInvitation",
        "setSecurityRules", "registerMachine", "rotateDeviceKey", "revokeDeviceKey",
    )
)  # fmt: skip


def knows(name: str) -> bool:
    """Whether this call is one of people's."""
    return name in NEEDS or name in ANYONES


def thing(name: str) -> str:
    """What a call asks for by its id."""
    things = {
        "endSession": "session", "removeFactor": "factor", "revokeInvitation": "invitation",
        "rotateDeviceKey": "key", "revokeDeviceKey": "key", "changeMember": "member",
        "removeMember": "member", "confirmTotp": "factor",
    }  # fmt: skip
    return things.get(name, "one")


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
    "changeMember": {
        "a viewer": {"role": "viewer", "reason": "moved to the office"},
        "staff of one machine": {"role": "staff", "outlets": ["M01"]},
    },
    "inviteMember": {"an operator": {"address": "dinesh@asha.example", "role": "operator"}},
    "setSecurityRules": {"two factors, from the office": _RULES},
    "acceptInvitation": {
        "with the link's token": {
            "token": _TOKENS["refresh_token"], "login": "dinesh@asha.example",
            "password": "cold masala cola",
        },
        "with the code": {
            "code": "KJHG-DSAP", "login": "dinesh@asha.example", "password": "cold masala cola",
        },
    },
    "makeFirstAccount": {
        "as it was printed": {
            "token": _TOKENS["refresh_token"], "login": "meera", "password": "cold masala cola",
        },
    },
    "resetPassword": {
        "a new one": {"token": _TOKENS["refresh_token"], "password": "ten cold bottles"},
    },
    "registerMachine": {
        "for a month": {
            "machineId": "M01", "name": "telemetry", "permissions": ["telemetry:write"],
            "expiresInS": 2592000,
        },
    },
    "takeDeviceToken": {"a key": _MADE_KEY},
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
    "listMembers": {
        "one": {"data": [{
            "id": _PERSON, "login": "boris", "name": "Boris", "role": "operator", "outlets": [],
            "since": _AT,
        }]},
    },
    "inviteMember": {
        "with token and code": _INVITED
        | {"token": _TOKENS["refresh_token"], "code": "KJHG-DSAP"},
    },
    "listInvitations": {"one": {"data": [_INVITED]}},
    "readSecurityRules": {"two factors, from the office": _RULES},
    "setSecurityRules": {"two factors, from the office": _RULES},
    "readAuditLog": {
        "a page": {
            "data": [{
                "seq": 71, "at": _AT, "person": _PERSON, "login": "asha", "session": _SESSION,
                "factors": ["password", "totp"], "address": "203.0.113.7",
                "action": "member.changed", "subject": "0193d3a4-1c00-7000-8000-00000000a007",
                "before": {"role": "operator", "outlets": []},
                "after": {"role": "viewer", "outlets": []}, "reason": "moved to the office",
            }],
            "next": None,
        },
    },
    "acceptInvitation": {"can sign in": {"person": _PERSON}},
    "makeFirstAccount": {"can sign in": {"person": _PERSON}},
    "registerMachine": {"shown once": _KEY | _MADE_KEY},
    "listDeviceKeys": {"one": {"data": [_KEY]}},
    "rotateDeviceKey": {"the new one": _KEY | _MADE_KEY},
    "takeDeviceToken": {
        "for ten minutes": {"access_token": _TOKENS["access_token"], "expires_in": 600},
    },
    "readDeviceProfile": {
        "of M01": {
            name: _KEY[name]
            for name in ("keyId", "machineId", "tenantId", "permissions", "expiresAt")
        },
    },
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
    "acceptInvitation": ("Accept an invitation", "The person, who can sign in now."),
    "makeFirstAccount": ("Make the first account", "The person, who can sign in now."),
    "resetPassword": ("Set a lost password anew", "It counts from now on."),
    "listMembers": ("List who works here", "Everyone who works for the merchant."),
    "changeMember": ("Change a role", "The role is another one; their sessions here ended."),
    "removeMember": ("Remove someone", "They work here no more; their sessions here ended."),
    "inviteMember": ("Invite someone", "The invitation with its token and its code."),
    "listInvitations": ("List invitations", "Those that wait, the oldest first."),
    "revokeInvitation": ("Take an invitation back", "It lets nobody in."),
    "readSecurityRules": ("Read the rules for signing in", "The merchant's rules."),
    "setSecurityRules": ("Set the rules for signing in", "The rules as they are now."),
    "readAuditLog": ("Read the audit log", "A page of it, newest first."),
    "registerMachine": ("Make an API key for a machine", "The key; it is shown this once."),
    "listDeviceKeys": ("List API keys of machines", "Keys, the newest first."),
    "rotateDeviceKey": ("Rotate an API key of a machine", "The new key, shown this once."),
    "revokeDeviceKey": ("Revoke an API key of a machine", "It is refused from now on."),
    "takeDeviceToken": ("Take a device's access token", "A token for ten minutes."),
    "readDeviceProfile": ("Read which device calls", "The device, and what it may do."),
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
_OUTLETS = "Of staff, the machines where they work; of everyone else none."
_RULE_FIELDS = {
    "second_factor_required": "Nobody may do anything without one.",
    "allowed_networks": "Addresses or networks that people may come from; none: from anywhere.",
}
_KEY_FIELDS = {
    "keyId": "Of the key.", "machineId": "Of which machine.", "tenantId": "Of which merchant.",
    "permissions": "What it may do.", "expiresAt": "It is good until then.",
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
    "MemberList": {"data": "The people."},
    "MemberStatement": {
        "id": "Of the person.", "login": "As they sign in.", "name": "As they are called.",
        "role": "What they are here.", "outlets": _OUTLETS, "since": "When they began.",
    },
    "MemberChange": {"role": "What they are from now on.", "outlets": _OUTLETS,
                     "reason": "For the log."},
    "NewInvitation": {
        "address": "Their login-to-be: only who signs up under it takes the invitation up.",
        "role": "What they will be.", "outlets": _OUTLETS,
    },
    "InvitationList": {"data": "The invitations."},
    "InvitationStatement": {
        "id": "Of the invitation.", "address": "Of whom was invited.",
        "role": "What they will be.", "outlets": _OUTLETS, "created_at": _MADE,
        "expires_at": "It can be taken up until then.", "token": "For a link; shown once.",
        "code": "To be told another way, in place of the link; shown once.",
    },
    "AcceptedInvitation": {
        "login": "The address that was invited.",
        "password": "A new one; or that of who has this login already.",
        "token": "Of the link.", "code": "In place of the token.",
        "second_factor": "A code of the app, of who has one already.",
    },
    "NewFirstAccount": {
        "token": "As it was printed.", "login": "Your own choice.",
        "password": "10 to 1024 characters.",
    },
    "PasswordReset": {"token": "As it was given out.", "password": "10 to 1024 characters."},
    "NewPerson": {"person": "Its id."},
    "NewRules": _RULE_FIELDS,
    "SecurityRules": _RULE_FIELDS,
    "LogPage": {"data": "The entries.", "next": "The `before` of the next page; null at the end."},
    "LogEntry": {
        "seq": "Grows.", "at": "When it was done.", "person": "Who; null for the command line.",
        "login": "Of the person.", "session": "In which one.", "factors": "What was shown.",
        "address": "From where.", "action": "What was done.", "subject": "To whom or what.",
        "before": "As it was.", "after": "As it became.", "reason": "As it was given.",
    },
    "NewDeviceKey": {
        "machineId": "Of which machine.", "name": _NAME, "permissions": "What it may do.",
        "expiresInS": "How long it is good for; at most as long as the setting says.",
    },
    "ShownKey": {"key": "As it was shown."},
    "DeviceKeyStatement": _KEY_FIELDS | {
        "name": _NAME, "begins": "Its first characters.", "createdAt": _MADE, "lastUsedAt": _USED,
        "revokedAt": "When it was revoked.", "key": "Shown once, when it was made.",
    },
    "DeviceKeyList": {"data": "The keys."},
    "DeviceToken": {
        "access_token": "For the header Authorization, as `Bearer`.",
        "expires_in": "Seconds that it is good for.",
    },
    "DeviceProfile": _KEY_FIELDS,
    "RecoveryCodes": {"recovery_codes": "Each is good once; none where there are some already."},
}  # fmt: skip
VALUES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("Profile", "role"): ("admin", "operator", "viewer", "staff", "installation"),
    ("SessionPlace", "kind"): ("token", "cookie"),
    ("Factor", "kind"): ("totp", "passkey"),
}
