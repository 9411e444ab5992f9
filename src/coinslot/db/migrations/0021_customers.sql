-- What a payer's bank calls the payment (for UPI the RRN, which the payer reads in the bank's app):
-- who knows it may open the order that it paid.
ALTER TABLE captures ADD COLUMN payer_reference text;
GRANT UPDATE (payer_reference) ON captures TO coinslot_app;
CREATE INDEX captures_payer_reference ON captures (payer_reference)
    WHERE payer_reference IS NOT NULL;

-- Who placed an order, as keyed digests: the browser by its cookie, the network by its address.
-- They bound how many unpaid orders there may be, and are no names of anyone.
ALTER TABLE orders ADD COLUMN browser text, ADD COLUMN network text;
CREATE INDEX orders_unpaid ON orders (outlet_id, placed_at) WHERE state = 'placed';
CREATE INDEX orders_browser ON orders (browser, placed_at) WHERE browser IS NOT NULL;

-- Whose customer a page's code is made for, so that one network cannot use up a machine's share;
-- and when a page last had the gateway asked, or the machine.
ALTER TABLE qr_codes ADD COLUMN network text, ADD COLUMN make_at timestamptz,
    ADD COLUMN page_asked_at timestamptz;
CREATE INDEX qr_codes_of_pages ON qr_codes (outlet_id, make_at) WHERE payment_id IS NOT NULL;
ALTER TABLE fulfillments ADD COLUMN page_asked_at timestamptz;
