-- What a product is one of, such as drinks: customers see the goods of a machine by it.
ALTER TABLE products ADD COLUMN category text NOT NULL DEFAULT ''
    CHECK (length(category) <= 40);
