"""The statements of this room, by name: stores, menus, orders and their codes."""

from typing import Final

KEPT: Final = "kept"  # what becomes of money, where nobody fetches what is ready

ADD_STORE = """
INSERT INTO counter_stores (outlet_id, merchant_id, slug, tax_added, created_at, no_show)
VALUES ($1, $2, $3, coalesce($4, false), $5, coalesce($6, 'refund'))
ON CONFLICT (outlet_id) DO UPDATE SET slug = excluded.slug,
    tax_added = coalesce($4, counter_stores.tax_added),
    no_show = coalesce($6, counter_stores.no_show)
"""

STORE_OWNER = "SELECT outlet_id, merchant_id FROM counter_stores WHERE slug = $1"

STORE = """
SELECT s.*, windows_at(o) AS windows FROM counter_stores s JOIN outlets o ON o.id = s.outlet_id
WHERE s.outlet_id = $1
"""

SET_STORE = """
UPDATE counter_stores SET tips = $2, tax_added = $3, origins = $4 WHERE outlet_id = $1
"""

MAY_CALL = "SELECT EXISTS (SELECT FROM counter_stores WHERE origins @> ARRAY[$1])"

ACCOUNTS = """
SELECT id FROM gateway_accounts WHERE disabled_at IS NULL ORDER BY created_at, id
"""

SET_HOURS = """
UPDATE counter_stores SET hours = $2, special_days = $3, lead_min = $4, slot_min = $5,
    slot_work_min = $6, days_ahead = $7
WHERE outlet_id = $1 RETURNING true
"""

STORES = """
SELECT s.*, o.name, o.place, o.currency::text FROM counter_stores s
JOIN outlets o ON o.id = s.outlet_id WHERE o.decommissioned_at IS NULL ORDER BY o.name, o.id
"""

CURRENCY = """
SELECT o.currency::text FROM outlets o JOIN counter_stores s ON s.outlet_id = o.id WHERE o.id = $1
"""

DESCRIBE = "UPDATE products SET description = $2 WHERE id = $1"

HAS_COUNTER = "SELECT EXISTS (SELECT FROM counter_stores)"

PAUSE = """
UPDATE counter_stores SET paused_at = $2, paused_until = $3, board_changes = board_changes + 1
WHERE outlet_id = $1 RETURNING true
"""

# What staff see changed without a move of an order: every open board looks again.
BOARD_CHANGED = "UPDATE counter_stores SET board_changes = board_changes + 1 WHERE outlet_id = $1"

SAVE_ITEM = """
INSERT INTO counter_items (id, merchant_id, outlet_id, product_id, section, place, price_minor,
    tax_bp, stock, option_stock, allergens, options, station, prep_min, hours, choices_out)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (outlet_id, product_id) DO UPDATE SET section = $5, place = $6, price_minor = $7,
    tax_bp = $8, stock = $9, option_stock = $10, allergens = $11, options = $12, station = $13,
    prep_min = $14, hours = $15, choices_out = $16, retired_at = NULL
RETURNING id
"""

RETIRE_OTHERS = """
UPDATE counter_items SET retired_at = $3
WHERE outlet_id = $1 AND retired_at IS NULL AND id <> ALL ($2)
"""

# The rest of a menu's row; a picture is its product's.
_ITEM = """
SELECT i.*, p.sku, p.name, p.names, p.description, p.descriptions, p.cost_minor,
    k.digest AS picture_digest, k.width AS picture_width, k.height AS picture_height,
    k.widths AS picture_widths, t.shared
FROM counter_items i JOIN products p ON p.id = i.product_id
LEFT JOIN (SELECT outlet_id, jsonb_object_agg(name, CASE WHEN sold_out_at IS NULL THEN stock ELSE 0
    END) AS shared FROM counter_stocks GROUP BY outlet_id) t ON t.outlet_id = i.outlet_id
LEFT JOIN pictures k ON k.merchant_id = p.merchant_id AND k.digest = p.picture
"""

# Sections are where their first item is.
MENU = f"""
{_ITEM} WHERE i.outlet_id = $1 AND i.retired_at IS NULL
ORDER BY min(i.place) OVER (PARTITION BY i.section), i.section, i.place, p.sku
"""

BOARD_ITEMS = """
SELECT i.outlet_id, i.id, p.name, i.stock, i.sold_out_at IS NOT NULL AS sold_out, i.options,
    i.option_stock, i.choices_out
FROM counter_items i JOIN products p ON p.id = i.product_id
WHERE ($1::text[] IS NULL OR i.outlet_id = ANY ($1)) AND i.retired_at IS NULL
ORDER BY i.outlet_id, min(i.place) OVER (PARTITION BY i.outlet_id, i.section), i.section, i.place,
    p.sku
"""

STATIONS = """
SELECT DISTINCT station FROM counter_items
WHERE ($1::text[] IS NULL OR outlet_id = ANY ($1)) AND retired_at IS NULL AND station <> ''
ORDER BY station
"""

MENU_ITEM = f"{_ITEM} WHERE i.outlet_id = $1 AND i.id = $2 AND i.retired_at IS NULL"

# Stock that customers take meanwhile is not overwritten by what was read before.
HOLD_ITEMS = """
SELECT i.id, p.sku, i.stock, i.option_stock, i.choices_out, i.retired_at FROM counter_items i
JOIN products p ON p.id = i.product_id
WHERE i.outlet_id = $1 ORDER BY i.id FOR NO KEY UPDATE OF i
"""

NEXT_PLACE = "SELECT coalesce(max(place), -1) + 1 FROM counter_items WHERE outlet_id = $1"

PLACE_ITEM = "UPDATE counter_items SET place = $2, section = $3 WHERE id = $1"

RETIRE_ITEM = """
UPDATE counter_items SET retired_at = $3
WHERE outlet_id = $1 AND id = $2 AND retired_at IS NULL RETURNING true
"""

SKU_TAKEN = "SELECT EXISTS (SELECT FROM products WHERE sku = $1)"

SOLD_OUT = """
UPDATE counter_items SET sold_out_at = coalesce(sold_out_at, $3)
WHERE outlet_id = $1 AND id = $2 AND retired_at IS NULL RETURNING true
"""

# The items of these pieces, of which staff say that there are none: what was counted was wrong.
# Rows are locked by their ids, as whoever reserves them does.
NONE_LEFT = """
WITH held AS (SELECT i.id FROM counter_items i WHERE i.retired_at IS NULL
    AND i.sold_out_at IS NULL AND i.id IN (SELECT n.item_id FROM fulfillments f
        JOIN counter_lines n USING (line_id) WHERE f.id = ANY ($1))
    ORDER BY i.id FOR NO KEY UPDATE)
UPDATE counter_items i SET sold_out_at = $2, stock = CASE WHEN i.stock IS NOT NULL THEN 0 END
FROM held WHERE i.id = held.id RETURNING i.id
"""

# What there is not: rows of items are held by their ids before any is written, and before those of
# shared stocks.
HOLD_ITEMS_OF = """
SELECT i.id FROM counter_items i WHERE i.id IN (SELECT n.item_id FROM fulfillments f
    JOIN counter_lines n USING (line_id) WHERE f.id = ANY ($1))
ORDER BY i.id FOR NO KEY UPDATE
"""

CHOICES_OF = """
SELECT f.id, n.item_id, n.options, i.options AS offered FROM fulfillments f
JOIN counter_lines n USING (line_id) JOIN counter_items i ON i.id = n.item_id
WHERE f.id = ANY ($1) ORDER BY f.id
"""

# What was counted of it was wrong.
CHOICE_OUT = """
UPDATE counter_items SET choices_out = array_remove(choices_out, $3::text) || $3::text,
    option_stock = CASE WHEN option_stock ? $3::text
        THEN option_stock || jsonb_build_object($3::text, 0) ELSE option_stock END
WHERE outlet_id = $1 AND id = $2 AND retired_at IS NULL RETURNING true
"""

CHOICE_BACK = """
UPDATE counter_items SET choices_out = array_remove(choices_out, $3::text), option_stock = CASE
    WHEN $4::integer IS NULL THEN option_stock - $3::text
    ELSE option_stock || jsonb_build_object($3::text, $4::integer) END
WHERE outlet_id = $1 AND id = $2 AND retired_at IS NULL RETURNING true
"""

BACK_ON_SALE = """
UPDATE counter_items SET sold_out_at = NULL, stock = CASE WHEN $4 THEN stock ELSE $3 END
WHERE outlet_id = $1 AND id = $2 AND retired_at IS NULL RETURNING true
"""

# What choices of what is on the menu take from.
SHARED = """
SELECT s.outlet_id, s.id, s.name, s.stock, s.sold_out_at IS NOT NULL AS sold_out
FROM counter_stocks s WHERE ($1::text[] IS NULL OR s.outlet_id = ANY ($1))
    AND EXISTS (SELECT FROM counter_items i WHERE i.outlet_id = s.outlet_id
        AND i.retired_at IS NULL AND i.options @> jsonb_build_array(jsonb_build_object(
            'choices', jsonb_build_array(jsonb_build_object('stock', s.name)))))
ORDER BY s.outlet_id, s.name
"""

# One that is there keeps its count, unless it is to be written.
SAVE_SHARED = """
INSERT INTO counter_stocks (id, merchant_id, outlet_id, name, stock) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (outlet_id, name) DO UPDATE SET stock = excluded.stock WHERE $6
"""

SHARED_SOLD_OUT = """
UPDATE counter_stocks SET sold_out_at = coalesce(sold_out_at, $3)
WHERE outlet_id = $1 AND id = $2 RETURNING true
"""

SHARED_NONE_LEFT = """
WITH held AS (SELECT id FROM counter_stocks WHERE outlet_id = $1 AND name = ANY ($2)
    AND sold_out_at IS NULL ORDER BY id FOR NO KEY UPDATE)
UPDATE counter_stocks s SET sold_out_at = $3, stock = CASE WHEN s.stock IS NOT NULL THEN 0 END
FROM held WHERE s.id = held.id RETURNING s.id
"""

SHARED_BACK = """
UPDATE counter_stocks SET sold_out_at = NULL, stock = CASE WHEN $4 THEN stock ELSE $3 END
WHERE outlet_id = $1 AND id = $2 RETURNING true
"""

# Takes all that an order wants off the stock, or leaves it: rows are locked by their ids, so that
# two orders of the same items wait for each other, and then those of shared stocks. As many rows as
# items, and each stock in `shared`, or somebody was first: then the transaction takes nothing.
RESERVE = """
WITH wanted AS (SELECT * FROM unnest($2::uuid[], $3::integer[], $4::jsonb[])
    AS w (id, quantity, choices)),
held AS MATERIALIZED (SELECT i.id FROM counter_items i JOIN wanted USING (id)
    WHERE i.outlet_id = $1 ORDER BY i.id FOR NO KEY UPDATE OF i),
portions AS (SELECT * FROM unnest($5::text[], $6::integer[]) AS p (name, quantity)),
held_stocks AS MATERIALIZED (SELECT s.id FROM counter_stocks s JOIN portions USING (name)
    WHERE s.outlet_id = $1 AND (SELECT count(*) FROM held) > 0 ORDER BY s.id
    FOR NO KEY UPDATE OF s),
taken AS (UPDATE counter_stocks s SET stock = s.stock - p.quantity
    FROM held_stocks h, portions p WHERE s.id = h.id AND p.name = s.name
        AND s.sold_out_at IS NULL AND (s.stock IS NULL OR s.stock >= p.quantity)
    RETURNING s.name, CASE WHEN s.stock IS NOT NULL THEN s.id END AS counted)
UPDATE counter_items i SET stock = i.stock - w.quantity,
    option_stock = counter_option_stock(i.option_stock, w.choices)
FROM held h JOIN wanted w USING (id)
WHERE i.id = h.id AND i.retired_at IS NULL AND i.sold_out_at IS NULL
    AND (i.stock IS NULL OR i.stock >= w.quantity)
    AND NOT EXISTS (SELECT FROM jsonb_each(i.option_stock) s
        WHERE s.value::integer + coalesce((w.choices->s.key)::integer, 0) < 0)
    AND NOT w.choices ?| i.choices_out
RETURNING i.id, i.stock IS NOT NULL AS counted,
    ARRAY(SELECT jsonb_object_keys(i.option_stock)) AS counted_choices,
    (SELECT coalesce(jsonb_object_agg(name, counted), '{}') FROM taken) AS shared
"""

PLACED_LINES = "SELECT id FROM order_lines WHERE order_id = $1 ORDER BY id"

PLACE_LINE = """
INSERT INTO counter_lines (line_id, merchant_id, order_id, item_id, options, note, reserved,
    item_counted, counted_choices, shared_stocks, tax_bp)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""

PLACE_ORDER = """
INSERT INTO counter_orders (order_id, merchant_id, outlet_id, name, code_digest, wanted_at,
    begin_at, slot_at, work_min, spot, no_show, pickup_s)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""

# Work of slots is counted one order after the other: the store's row is locked before.
SLOT_WORK = """
SELECT c.slot_at, sum(c.work_min)::integer AS work FROM counter_orders c
JOIN orders o ON o.id = c.order_id
WHERE c.outlet_id = $1 AND c.slot_at >= $2 AND o.state IN ('placed', 'paid', 'completed')
GROUP BY c.slot_at
"""

BY_KEY = "SELECT token FROM orders WHERE client_key = $1"

# Handing over. The capture comes first in the order of locks, then the units, then the code's row.
HOLD_CAPTURE = """
SELECT id FROM captures WHERE order_id = $1 AND reason IS NULL FOR NO KEY UPDATE
"""

_UNITS = """
SELECT f.*, c.accepted_at, c.ready_at, windows_at(o) AS windows FROM fulfillments f
JOIN counter_units c USING (id) JOIN outlets o ON o.id = f.outlet_id
"""

HOLD_UNITS = f"{_UNITS} WHERE f.order_id = $1 ORDER BY f.id FOR NO KEY UPDATE OF f"

# As it is, for whoever holds it already.
HELD_UNIT = f"{_UNITS} WHERE f.id = $1"

MOVE_DEADLINE = "UPDATE fulfillments SET dispatch_by = $2 WHERE id = $1 AND settlement IS NULL"

ORDER_AT = """
SELECT c.*, o.state, o.number, o.token FROM counter_orders c JOIN orders o ON o.id = c.order_id
WHERE c.order_id = $1 AND ($2::text[] IS NULL OR c.outlet_id = ANY ($2))
"""

ORDER_OF_TOKEN = """
SELECT c.order_id, c.merchant_id FROM counter_orders c JOIN orders o ON o.id = c.order_id
WHERE o.token = $1
"""

INVOICE_OF = """
SELECT number_of_year(year, number) FROM counter_invoices WHERE order_id = $1
"""

# Their own windows of time come before the installation's.
WINDOWS_OF = "SELECT o.id, windows_at(o) AS windows FROM outlets o WHERE o.id = ANY ($1)"

CODE_OF = """
SELECT c.*, coalesce(s.arrivals, false) AS arrivals,
    coalesce(s.arrivals, false) AND s.here_m IS NOT NULL AS asks_where
FROM counter_orders c LEFT JOIN counter_stores s USING (outlet_id) WHERE c.order_id = $1
"""

DELIVERY_OF = "SELECT left_at FROM counter_deliveries WHERE order_id = $1"

# A try is counted before its code is compared, and only while the version that was read is the one
# that counts: of any number that come at once, five are compared.
COUNT_TRY = """
UPDATE counter_orders SET tries = tries + 1
WHERE order_id = $1 AND code_version = $2 AND tries < $3 AND wrong < $4
RETURNING code_digest
"""

# Locked: wrong tries of an outlet are counted one after the other.
LOCK_STORE = "SELECT FROM counter_stores WHERE outlet_id = $1 FOR NO KEY UPDATE"

WRONG_LATELY = "SELECT count(*) FROM counter_wrong_codes WHERE outlet_id = $1 AND at > $2"

NOTE_WRONG = """
WITH told AS (INSERT INTO counter_wrong_codes (merchant_id, outlet_id, order_id, at)
    SELECT merchant_id, outlet_id, order_id, $2 FROM counter_orders WHERE order_id = $1)
UPDATE counter_orders SET wrong = least(wrong + 1, 15) WHERE order_id = $1 RETURNING tries
"""

NEW_CODE = """
UPDATE counter_orders SET code_version = $2, code_digest = $3, code_from = $4, tries = $5
WHERE order_id = $1
"""

# It was accepted, and that was taken back: it waits again.
ALARM_AGAIN = """
UPDATE counter_alarms SET since = $2, repeated_at = NULL, told_at = NULL, ended_at = NULL,
    due_at = $2
WHERE id = $1
"""

# Its tickets, in the transaction that accepts it: what is not committed is not printed.
PRINT_TICKETS = "SELECT counter_print_tickets($1, $2)"

EXPOSE = "SELECT fulfillment_expose($1, $2)"

TICK = """
WITH was AS (SELECT c.id, c.ticked_at IS NOT NULL AS ticked FROM counter_units c
    JOIN fulfillments f USING (id)
    WHERE f.order_id = $1 AND f.id = $2 AND f.settlement IS NULL)
UPDATE counter_units c SET ticked_at = CASE WHEN $3 THEN coalesce(c.ticked_at, $4) END
FROM was WHERE c.id = was.id RETURNING was.ticked <> $3
"""

# What staff see: never a code, nor the token of the customer's page.
_ON_BOARD = """
SELECT o.id, o.number, o.outlet_id, o.state, o.amount_minor, o.currency::text, o.paid_at,
    o.ended_at, c.name, c.tries, c.wrong, c.code_from, c.wanted_at, c.begin_at, c.spot, c.seen_at,
    a.repeated_at, s.slug, u.name AS outlet_name, coalesce(u.zone, m.zone) AS zone, d.address,
    d.driver_token, d.left_at, c.here_at, c.here_note, c.here_by
FROM orders o JOIN counter_orders c ON c.order_id = o.id
LEFT JOIN counter_alarms a ON a.id = o.id LEFT JOIN counter_deliveries d ON d.order_id = o.id
JOIN counter_stores s ON s.outlet_id = o.outlet_id JOIN outlets u ON u.id = o.outlet_id
LEFT JOIN merchants m ON m.id = o.merchant_id
"""

ON_BOARD = f"""
{_ON_BOARD} WHERE ($1::text[] IS NULL OR o.outlet_id = ANY ($1))
    AND (c.begin_at IS NULL OR c.begin_at <= $3)
    AND (o.state = 'paid' OR (o.ended_at > $2 AND o.state IN ('completed', 'failed')))
ORDER BY o.paid_at, o.id
"""

BOARD_ORDER = f"{_ON_BOARD} WHERE o.id = $1 AND ($2::text[] IS NULL OR o.outlet_id = ANY ($2))"

BOARD_UNITS = """
SELECT f.id, f.order_id, f.line_id, f.state, f.settlement, f.basis, f.dispatch_by, f.settled_at,
    f.amount_minor, c.accepted_at, c.ready_at, c.ended, c.reason, c.said_by, c.ticked_at,
    l.name, l.sku, l.price_minor, l.quantity, n.options, n.note, n.item_id, i.station
FROM fulfillments f JOIN counter_units c USING (id) JOIN order_lines l ON l.id = f.line_id
JOIN counter_lines n ON n.line_id = l.id JOIN counter_items i ON i.id = n.item_id
WHERE f.order_id = ANY ($1) ORDER BY f.id
"""

# How far the units of one order have come.
UNITS_BESIDE = "SELECT * FROM counter_units WHERE id = ANY ($1)"
