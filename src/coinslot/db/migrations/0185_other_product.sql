-- A slot that got another product: what lies there is not known to be that until a person counts.
-- A machine's own count says how many, and not of what.
ALTER TABLE slots ADD COLUMN other_product boolean NOT NULL DEFAULT false;
