-- The machines of (a) and (b) are nobody's: what was paid at them counts as handed over, so that
-- (c) begins with empty queues.
WITH units AS (
    UPDATE fulfillments SET state = 'vended', settlement = 'fulfilled', basis = 'vended',
        settled_at = now(), due_at = NULL, leased_until = NULL
    WHERE settlement IS NULL RETURNING order_id, capture_id, amount_minor
), paid AS (
    UPDATE captures c SET open = c.open - u.amount_minor, fulfilled = c.fulfilled + u.amount_minor
    FROM units u WHERE c.id = u.capture_id
)
UPDATE orders o SET state = 'completed', ended_at = now() FROM units u WHERE o.id = u.order_id
