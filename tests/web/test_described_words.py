"""The description in words: every call, answer and field has one, and every code of an error."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coinslot
from coinslot.api.openapi import people
from coinslot.api.openapi.codes import CODES, codes_of, scope_of
from coinslot.api.openapi.fields import FIELDS, VALUES
from coinslot.api.openapi.words import CALLS, TAGS
from coinslot.api.stores import CONTACT_CODES
from coinslot.merchants.keys import SCOPES
from coinslot.pages import errors
from coinslot.people.roles import ALL as PERMITTED
from coinslot.states.attempt_flow import ATTEMPT
from coinslot.states.payment_flow import PAYMENT
from coinslot.states.refund_flow import REFUND
from tests.web.test_described import schema as schema

HERE = Path(coinslot.__file__).parent
DOCS = HERE.parent.parent / "docs"
ROW = re.compile(r"^\| `([a-z_]+)` \| (\d{3}) \|", re.MULTILINE)
# Which errors carry a code, and the place of the code among their arguments.
CARRY = {
    "RefusedError": 1, "RuledOutError": 0, "EndpointRuleError": 0, "SignInError": 0,
    "ForbiddenError": 0, "RuleError": 0, "BasketError": 0,
}  # fmt: skip


def calls(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [said for path in schema["paths"].values() for said in path.values()]


def test_every_call_has_a_name_in_words_and_one_group(schema: dict[str, Any]) -> None:
    found = calls(schema)
    assert {said["operationId"] for said in found} == set(CALLS)
    assert len({said["summary"] for said in found}) == len(found)
    for said in found:
        assert " " in said["summary"]
        assert len(said["tags"]) == 1
    groups = list(dict.fromkeys(said["tags"][0] for said in found))
    assert groups == [tag["name"] for tag in schema["tags"]] == [tag.name for tag in TAGS]
    assert groups[-1] == "gateways"


def test_every_answer_says_what_it_is(schema: dict[str, Any]) -> None:
    said = [
        answer["description"] for call in calls(schema) for answer in call["responses"].values()
    ]
    assert not [text for text in said if "follow" in text or "_" in text or not text.endswith(".")]
    health = schema["paths"]["/health"]["get"]["responses"]["503"]["content"]["application/json"]
    assert health["schema"]["$ref"].endswith("/HealthAnswer")


def test_every_field_of_every_schema_has_a_text(schema: dict[str, Any]) -> None:
    known = schema["components"]["schemas"]
    bare = [
        f"{name}.{field}" for name, kind in known.items()
        for field, said in kind.get("properties", {}).items() if not said.get("description")
    ]  # fmt: skip
    assert bare == []
    for name, texts in FIELDS.items():
        if name != "Taken":
            assert set(texts) <= set(known[name]["properties"]), name


def test_a_status_is_limited_to_the_states_that_there_are(schema: dict[str, Any]) -> None:
    for name, flow in (("Payment", PAYMENT), ("Attempt", ATTEMPT), ("Refund", REFUND)):
        assert set(VALUES[f"{name}Statement", "status"]) == flow.states
    shown = schema["components"]["schemas"]["PaymentStatement"]["properties"]["status"]
    assert "requires_action" in shown["enum"]


def test_the_403_names_the_scope_that_is_needed(schema: dict[str, Any]) -> None:
    for said in calls(schema):
        needs = people.NEEDS.get(said["operationId"], "a scope")
        if "403" in said["responses"] and needs and said["operationId"] not in people.ANYONES:
            content = said["responses"]["403"]["content"]["application/json"]
            message = content["examples"]["forbidden"]["value"]["error"]["message"]
            assert set(scope_of(said["operationId"]).split(" and ")) <= {*SCOPES, *PERMITTED}
            assert scope_of(said["operationId"]) in message
    assert scope_of("listWebhookEndpoints") == "webhooks:write"


def test_every_422_shows_codes_of_its_own_call(schema: dict[str, Any]) -> None:
    for said in calls(schema):
        if "422" in said["responses"]:
            content = said["responses"]["422"]["content"]["application/json"]
            assert content["examples"], said["operationId"]
    assert "no_gateway" in dict(codes_of("confirmPayment", 422, keyed=True))
    assert "no_gateway" not in dict(codes_of("refundPayment", 422, keyed=True))


# Where errors that the API answers are raised.
# The mirror, the command line, and what the console alone asks for.
NOT_ANSWERED = {"firebase.py", "order_refunds.py", "merchant_settings.py", "api_keys.py",
                "selling_rules.py"}  # fmt: skip
CONSOLE_ALONE = {"stale_settings", "tablet_refused", "weak_pin"}
ROOMS = ("api", "pages", "app", "events", "orders", "payments", "oversight", "people", "fleet",
         "counter")  # fmt: skip


def told(path: Path) -> Iterator[str]:
    """Codes that the errors raised in a file carry."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = CARRY.get(node.func.id)
            code = node.args[place] if place is not None and len(node.args) > place else None
            either = (code.body, code.orelse) if isinstance(code, ast.IfExp) else (code,)
            yield from (str(one.value) for one in either if isinstance(one, ast.Constant))


def test_the_table_in_the_docs_has_every_code_that_can_be_answered() -> None:
    files = [path for room in ROOMS for path in (HERE / room).rglob("*.py")]
    raised = {code for path in files if path.name not in NOT_ANSWERED for code in told(path)}
    assert len(raised) > 15
    possible = (raised - CONSOLE_ALONE) | set(errors.CODES.values()) | set(CODES)
    possible |= set(CONTACT_CODES.values())
    table = {
        code: int(status)
        for name in ("api.md", "urls.md", "people.md")
        for code, status in ROW.findall((DOCS / name).read_text(encoding="utf-8"))
    }
    assert set(table) == possible
    assert {code: table[code] for code in CODES} == {c: said.status for c, said in CODES.items()}
