-- Units that a machine refused because it shows another price: who looks for them reads no others.
CREATE INDEX fulfillments_price_refused ON fulfillments (settled_at)
    WHERE failure_code = 'PRICE_VERSION';
