-- An order is found by the number that its customer reads out, among a million.
CREATE INDEX orders_number ON orders (number);
