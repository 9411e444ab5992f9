"""The description of people's calls: every example is what would be sent or answered, and what it
says of who may call is what the routes ask for."""

from typing import Any

import msgspec

from coinslot.api import device_keys, members, sign_in
from coinslot.api.openapi import people
from coinslot.people.device_keys import DeviceToken
from coinslot.people.factors import Enrolment, Factors
from coinslot.people.passkeys import Question
from coinslot.people.security import SecurityRules
from tests.web.test_described import schema as schema

SENT: dict[str, Any] = {
    "signIn": sign_in.Credentials,
    "refreshTokens": sign_in.RefreshRequest,
    "stepUp": sign_in.StepUp,
    "changePassword": sign_in.NewPassword,
    "beginTotp": sign_in.NewTotp,
    "confirmTotp": sign_in.TypedCode,
    "confirmPasskey": sign_in.PasskeyAnswer,
    "changeMember": members.MemberChange,
    "inviteMember": members.NewInvitation,
    "setSecurityRules": members.NewRules,
    "acceptInvitation": members.AcceptedInvitation,
    "makeFirstAccount": members.NewFirstAccount,
    "resetPassword": members.PasswordReset,
    "registerMachine": device_keys.NewDeviceKey,
    "takeDeviceToken": device_keys.ShownKey,
}
ANSWERED: dict[str, Any] = {
    "askForPasskey": Question,
    "beginPasskey": Question,
    "readProfile": sign_in.Profile,
    "listSessions": sign_in.SessionList,
    "listFactors": Factors,
    "beginTotp": Enrolment,
    "confirmTotp": sign_in.RecoveryCodes,
    "confirmPasskey": sign_in.RecoveryCodes,
    "renewRecoveryCodes": sign_in.RecoveryCodes,
    "listMembers": members.MemberList,
    "inviteMember": members.InvitationStatement,
    "listInvitations": members.InvitationList,
    "readSecurityRules": SecurityRules,
    "setSecurityRules": SecurityRules,
    "readAuditLog": members.LogPage,
    "acceptInvitation": members.NewPerson,
    "makeFirstAccount": members.NewPerson,
    "registerMachine": device_keys.DeviceKeyStatement,
    "listDeviceKeys": device_keys.DeviceKeyList,
    "rotateDeviceKey": device_keys.DeviceKeyStatement,
    "takeDeviceToken": DeviceToken,
    "readDeviceProfile": device_keys.DeviceProfile,
}


def test_every_example_is_what_the_api_takes_and_gives() -> None:
    for name, examples in people.SENT.items():
        for example in examples.values():
            msgspec.convert(example, SENT[name])
    for name, examples in people.ANSWERED.items():
        kind = ANSWERED.get(name, sign_in.SignInTokens)
        for example in examples.values():
            msgspec.json.decode(msgspec.json.encode(example), type=kind)
            assert set(example) == {field.encode_name for field in msgspec.structs.fields(kind)}


def calls(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        said["operationId"]: said
        for methods in schema["paths"].values()
        for said in methods.values()
        if people.knows(said["operationId"])
    }


def test_every_call_has_examples_and_every_error_a_code(schema: dict[str, Any]) -> None:
    found = calls(schema)
    assert set(found) == {*people.NEEDS, *people.ANYONES}
    for name, said in found.items():
        for status, answer in said["responses"].items():
            if status != "204":
                content = answer["content"]["application/json"]
                assert content.get("examples"), (name, status)
        if "requestBody" in said:
            assert said["requestBody"]["content"]["application/json"]["examples"], name


def test_who_has_to_be_signed_in_is_said(schema: dict[str, Any]) -> None:
    for name, said in calls(schema).items():
        wanted: Any = [{"accessToken": []}] if name in people.NEEDS else None
        assert said.get("security") == wanted, name
        assert ("401" in said["responses"]) is (name != "askForPasskey"), name
