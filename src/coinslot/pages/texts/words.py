"""The texts that a language must have. A language without one of them fails at import (and in
mypy)."""

from msgspec import Struct


class Words(Struct, frozen=True, kw_only=True):
    """One language. `{...}` are filled in; every language has the same ones."""

    code: str
    own_name: str
    short_name: str
    direction: str
    locale: str  # for money and times

    # On every page
    skip: str
    languages: str
    one_cookie: str
    own_orders: str
    questions: str
    not_charged: str
    nothing_out_write: str
    payments_by: str  # {site}

    # The first page
    home_lead: str
    home_what: str
    home_customer: str
    home_customer_how: str
    home_code: str
    home_go: str
    home_operators: str
    home_console: str
    home_developers: str
    home_docs: str

    # The outlet
    online_ready: str
    not_ready: str
    machine_code: str
    choose_one: str
    other_goods: str  # what is of no category, below the categories
    choose_there: str
    choose_there_lead: str
    slot: str  # {slot}
    pay: str  # {price}
    pay_for: str  # {price} {item}
    sold_out: str
    promise: str
    promise_g3: str
    promise_g2: str
    promise_g1: str
    promise_g0: str
    own_app: str
    why_offline: str
    why_sold_out: str
    why_gateway_down: str
    why_out_of_service: str
    why_busy: str
    why_broken: str
    why_too_warm: str
    why_above_cap: str
    screen_ready: str
    screen_scan: str
    screen_busy: str
    screen_busy_more: str
    screen_not_now: str
    screen_away: str
    last_one: str
    nearest: str
    paid_already: str
    try_again: str

    # Paying
    order: str  # {number}
    scan_title: str  # {price}
    scan_lead: str
    scan_picture: str  # {price}
    open_code: str
    same_phone: str
    same_phone_save: str
    same_phone_choose: str
    same_phone_pay: str
    valid_until: str  # {time}
    left: str
    i_have_paid: str

    # The life of an order: a title and a sentence for each phase
    to_pay: str  # {price}
    to_pay_lead: str
    way_link: str  # {price}, {gateway}
    way_practice: str  # {price}
    practice_lead: str
    way_code: str  # {price}, {gateway}
    way_failed: str  # {gateway}
    other_way: str
    link: str  # {price}
    link_lead: str  # {gateway}
    link_go: str  # {gateway}
    link_scan: str
    pay_at: str  # {time}
    code_printed: str
    preparing: str
    preparing_lead: str
    expired: str
    expired_lead: str
    queued: str
    wanted_for: str  # {time}
    queued_lead: str
    sending: str
    sending_lead: str
    working: str
    working_lead: str
    checking: str
    checking_lead: str
    checking_until: str  # {time}
    cancel_order: str
    code_drawn: str
    your_code: str  # {code}
    came_question: str
    came_yes: str
    done: str
    done_lead: str
    partly: str
    partly_lead: str
    returned: str
    returned_lead: str  # {merchant}
    refund_waits: str  # {price}
    nothing_due: str
    nothing_due_lead: str
    refunding: str
    refunding_lead: str  # {price}
    refunded: str
    refunded_lead: str  # {price}
    retrying: str
    retrying_lead: str
    owed: str  # {price}
    owed_lead: str  # {merchant} {number}
    told: str
    told_sms: str
    told_call: str
    told_email: str
    told_push: str
    told_on_way: str
    told_sent: str
    told_arrived: str
    told_failed: str
    told_unknown: str
    told_opted_out: str
    told_not_sent: str
    told_here: str
    told_stopped: str
    resend: str
    working_deliver: str
    working_deliver_lead: str
    working_away: str
    working_away_lead: str
    here: str
    here_where: str
    here_done: str
    here_asks: str
    here_looks: str
    push_ask: str
    push_done: str
    push_denied: str
    by_policy: str
    kept: str
    kept_lead: str  # {price}
    kept_by: str  # {time}
    back_to_machine: str

    # The timeline
    steps: str
    step_paid: str
    step_sent: str
    step_confirmed: str
    step_take: str
    step_nothing_out: str
    step_not_reached: str
    step_silent: str
    step_refund_pending: str
    step_refund_succeeded: str
    step_refund_failed: str
    step_refund_owed: str
    refund_in: str
    refund_by: str  # {time}
    # The same while nobody has begun with it, and while it is made.
    refund_by_queued: str  # {time}
    refund_by_sending: str  # {time}

    # The refund and the receipt
    refund: str
    refund_reference: str
    receipt: str
    receipt_keep: str
    receipt_discount: str  # what was taken off the lines
    receipt_not_out: str
    receipt_tip: str
    receipt_delivery_fee: str
    receipt_added_tax: str
    receipt_included: str
    receipt_invoice: str
    credit: str
    credit_corrects: str
    credit_tax: str
    credit_amount: str
    credit_void: str
    receipt_amount: str
    receipt_seller: str
    receipt_place: str
    receipt_time: str
    receipt_order: str
    receipt_gateway: str
    receipt_payment: str

    # Help
    nothing_out: str
    nothing_out_lead: str
    nothing_out_button: str
    asked: str
    asked_queued: str
    asked_done: str  # {merchant} {number}
    asked_partly: str  # {merchant} {number}
    not_seen_yet: str
    contact: str  # {merchant}
    find_title: str
    find_lead: str
    find_amount: str
    find_time: str
    find_time_hint: str
    find_button: str
    find_none: str
    find_unreadable: str
    find_these: str
    find_own: str
    find_own_lead: str
    find_reference: str
    find_reference_hint: str
    find_reference_button: str
    find_reference_none: str
    find_missing: str  # {merchant}

    # Printed beside a code
    sheet_pay: str  # {price}
    sheet_choose: str
    sheet_wait: str
    sheet_back: str
    sheet_help: str

    # When something is in the way
    home: str
    if_it_stays: str
    unknown_outlet: str  # {code}
    unknown_outlet_lead: str
    unknown_order: str
    unknown_order_lead: str
    no_counter: str
    no_counter_lead: str
    to_menu: str
    nothing_here: str
    not_in_console: str
    to_console: str
    nothing_here_lead: str
    unreadable: str
    unreadable_lead: str
    too_often: str
    too_often_lead: str
    in_the_way: str
    in_the_way_lead: str
    reference: str  # {id}
