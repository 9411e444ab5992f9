-- How a merchant sells where that is not as everywhere in the installation. `languages`: those of
-- its customers' pages and sheets, the usual one first; none: all that there are. `windows`: by
-- kind of outlet, before the installation's and after an outlet's own. `limits`: of orders that
-- are not paid.
ALTER TABLE merchants
    ADD COLUMN languages text[] NOT NULL DEFAULT '{}',
    ADD COLUMN windows jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN limits jsonb NOT NULL DEFAULT '{}',
    ADD CONSTRAINT windows_of_a_merchant_are_positive_numbers CHECK (
        jsonb_typeof(windows) = 'object'
        AND NOT jsonb_path_exists(windows, '$.* ? (@.type() != "object")')
        AND NOT jsonb_path_exists(windows, '$.*.* ? (@.type() != "number" || @ <= 0)')),
    ADD CONSTRAINT limits_are_positive_numbers CHECK (jsonb_typeof(limits) = 'object'
        AND NOT jsonb_path_exists(limits, '$.* ? (@.type() != "number" || @ <= 0)'));
