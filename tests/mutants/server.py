"""The mutants in the server's code: exact text, what stands there instead, and who must notice."""

from tests.mutants.edits import Edit, Mutation

_VEND = "src/coinslot/vending/machine_messages.py"
_PLAIN = "src/coinslot/vending/plain_messages.py"
_HEARD = "src/coinslot/vending/sql/heard.sql"
_FLOW = "src/coinslot/vending/flow.py"
_COMMITS = "tests/sales/test_around_a_commit.py"
_EVIDENCE = "tests/sales/test_evidence.py"
SELLS = "tests/sales/test_a_sale.py::test_a_paid_can_that_drops_completes_the_order"

SERVER = (
    Mutation(
        number=1,
        edits=(
            Edit(
                "src/coinslot/vending/store.py",
                "WHERE id = $1 AND outlet_id = $2) FOR NO KEY UPDATE\n",
                "WHERE id = $1 AND outlet_id = $2)\n",
            ),
            Edit(
                "src/coinslot/vending/store.py",
                "WHERE f.id = $1 AND f.outlet_id = $2 FOR NO KEY UPDATE OF f, v\n",
                "WHERE f.id = $1 AND f.outlet_id = $2\n",
            ),
            Edit(
                _HEARD,
                "p->>'outlet') FOR NO KEY UPDATE;\n    SELECT f.state, f.dispatch_by, ",
                "p->>'outlet');\n    SELECT f.state, f.dispatch_by, ",
            ),
            Edit(
                _HEARD,
                "        JOIN devices d ON d.outlet_id = f.outlet_id\n"
                "        WHERE f.id = (p->>'unit')::uuid AND f.outlet_id = p->>'outlet'\n"
                "        FOR NO KEY UPDATE OF f, v;\n",
                "        JOIN devices d ON d.outlet_id = f.outlet_id\n"
                "        WHERE f.id = (p->>'unit')::uuid AND f.outlet_id = p->>'outlet';\n",
            ),
            Edit(
                "src/coinslot/orders/store.py",
                "f.settlement IS NULL FOR NO KEY UPDATE OF f\n",
                "f.settlement IS NULL\n",
            ),
            Edit(
                "src/coinslot/orders/store.py",
                "captures WHERE id = $2 FOR NO KEY UPDATE)\nSELECT f.*, windows_at(o) AS",
                "captures WHERE id = $2)\nSELECT f.*, windows_at(o) AS",
            ),
            Edit(
                "src/coinslot/states/transition.py",
                "WHERE u.id = p_id)\n        FOR NO KEY UPDATE;",
                "WHERE u.id = p_id);",
            ),
            Edit(
                "src/coinslot/states/transition.py",
                "SELECT * INTO STRICT before FROM {table} t WHERE t.id = p_id FOR NO KEY UPDATE;",
                "SELECT * INTO STRICT before FROM {table} t WHERE t.id = p_id;",
            ),
        ),
        red=(f"{_COMMITS}::test_an_accept_and_the_end_of_the_window_at_once_are_goods_or_money",),
        green=SELLS,
    ),
    Mutation(
        number=2,
        edits=(
            Edit(
                _PLAIN,
                "    go, moved = signed(context, machine, unit, up, at)\n",
                "    go, moved = signed(context, machine, unit, up, at)\n"
                "    await context.line.send(machine.outlet, 'mqtt', wire.to_wire(go))\n",
            ),
        ),
        red=(f"{_COMMITS}::test_who_dies_before_the_commit_of_go_has_sent_none",),
        green=SELLS,
    ),
    Mutation(
        number=3,
        edits=(
            Edit(
                _FLOW,
                'Row("going", "REJECT", "going"),  # after GO it proves nothing',
                'Row("going", "REJECT", "failed", ("give_back",)),',
            ),
            Edit(
                _VEND,
                '        **{"basis": "rejected", "failure_code": up.code.value}\n'
                '        if unit["state"] == "offered" else {},\n',
                '        **{"basis": "rejected", "failure_code": up.code.value}\n'
                '        if unit["settlement"] is None else {},\n',
            ),
        ),
        red=(
            "tests/sales/test_machines.py::test_no_refusal_after_go_proves_anything",
            "tests/unit/test_flow_laws.py",
        ),
        green=SELLS,
    ),
    Mutation(
        number=4,
        edits=(
            Edit(
                _VEND,
                '    if unit["journal_id"] == journal_id:\n        return True\n',
                "    return True\n",
            ),
        ),
        red=(f"{_EVIDENCE}::test_a_foreign_journal_proves_nothing_and_is_noted",),
        green=SELLS,
    ),
    Mutation(
        number=5,
        edits=(
            Edit(
                _VEND,
                "        # HELLO itself proves nothing: the unit is asked about, with a nonce,"
                " after its lease.\n",
                "        if unit is not None and up.last_seq < (unit['seq'] or 0):\n"
                "            proof = {'basis': 'tombstone'}\n"
                "            await move(conn, VENDING, unit['id'], 'NOT_VENDED', at, **proof)\n"
                "            continue\n",
            ),
        ),
        red=(
            f"{_EVIDENCE}::test_hello_after_the_lease_is_answered_with_questions_and_proves_nothing",
        ),
        green=SELLS,
    ),
    Mutation(
        number=7,
        edits=(
            Edit(
                _PLAIN,
                "    if told is None:\n        return None\n",
                "    if told is None:\n        return None\n"
                "    if isinstance(up, wire.Result):\n"
                "        early = wire.Evack(journal_id=up.journal_id, through=up.event_seq)\n"
                "        await context.line.send(machine.outlet, 'mqtt', wire.to_wire(early))\n",
            ),
        ),
        red=(f"{_COMMITS}::test_who_dies_before_the_commit_of_a_result_has_acknowledged_nothing",),
        green=SELLS,
    ),
    Mutation(
        number=8,
        edits=(
            Edit(
                "src/coinslot/payments/refunds.py",
                '        key=refund["key"],\n',
                "        key=f\"{refund['key']}_{refund['tries']}\",\n",
            ),
        ),
        red=("tests/sales/test_refunds.py::test_a_lost_refund_is_sent_again_under_the_same_key",),
        green="tests/sales/test_a_sale.py::test_a_jam_seen_by_a_tested_sensor_gives_the_money_back",
    ),
    Mutation(
        number=9,
        edits=(
            Edit(
                "src/coinslot/payments/sql/captures.sql",
                "    RETURN return_capture(p_capture.id, why, p_now);\n",
                "    RETURN 'known';\n",
            ),
        ),
        red=("tests/sales/test_page_orders.py::test_the_second_payment_of_one_order_goes_back",),
        green="tests/sales/test_page_orders.py::test_a_placed_order_shows_its_code_and_paid_it_buys",
    ),
    Mutation(
        number=11,
        edits=(
            Edit(
                _FLOW,
                'Row("going", "DEADLINE", "in_doubt"),',
                'Row("going", "DEADLINE", "failed", ("give_back",)),',
            ),
            Edit(
                "src/coinslot/vending/fulfillment.py",
                '            conn, VENDING, unit["id"], "DEADLINE", now,\n            due_at=',
                '            conn, VENDING, unit["id"], "DEADLINE", now, basis="tombstone",\n'
                "            due_at=",
            ),
        ),
        red=(
            "tests/sales/test_a_sale.py::test_silence_after_go_is_settled_by_policy_and_flagged",
            "tests/unit/test_flow_laws.py",
        ),
        green=SELLS,
    ),
    Mutation(
        number=12,
        edits=(
            Edit(
                "src/coinslot/vending/evidence.py",
                "        case Outcome.FAILED if _never_powered(seen):\n",
                "        case Outcome.FAILED:\n",
            ),
        ),
        red=(f"{_EVIDENCE}::test_what_an_outcome_proves",),
        green="tests/sales/test_a_sale.py::test_a_jam_seen_by_a_tested_sensor_gives_the_money_back",
    ),
)
