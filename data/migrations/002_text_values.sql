-- Version 2: what is measured from texts.
CREATE TABLE text_factor (text_factor_id INTEGER, name VARCHAR, version INTEGER);
CREATE TABLE text_value (text_id INTEGER, text_factor_id INTEGER, value DOUBLE);
