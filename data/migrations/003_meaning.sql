-- Version 3: what is measured of an answer to its prompt, meaning as vectors, and differences ready to be streamed.
CREATE TABLE answer_value (text_id INTEGER, prompt_text_id INTEGER, text_factor_id INTEGER, value DOUBLE);
CREATE TABLE embedder (embedder_id INTEGER, name VARCHAR);
CREATE TABLE embedding (text_id INTEGER, embedder_id INTEGER, vector FLOAT[]);
CREATE TABLE packed (packed_id INTEGER, dataset_id INTEGER, name VARCHAR, version INTEGER, stamp VARCHAR, pairs BIGINT, scale DOUBLE, known BIGINT, word VARCHAR);
CREATE TABLE difference (packed_id INTEGER, value FLOAT);
