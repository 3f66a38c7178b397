-- The store, version 6. One fact table (judgment) carries every id a ranking needs, so that it needs a scan and
-- no join. Ids are small integers handed out by the import; uniqueness is the import's duty (a primary key on
-- ten million rows would cost more than the import itself). Texts stand once each, in a table of their own.

CREATE TABLE IF NOT EXISTS meta (key VARCHAR, value VARCHAR);

CREATE TABLE dataset (dataset_id INTEGER, name VARCHAR, simulated BOOLEAN, created TIMESTAMP);

-- One row an import that added something; `number` counts within the dataset.
CREATE TABLE import_log (
    import_id INTEGER, dataset_id INTEGER, number INTEGER, file_name VARCHAR, sha256 VARCHAR, format VARCHAR,
    encoding VARCHAR, mapping VARCHAR, read BIGINT, accepted BIGINT, rejected BIGINT, duplicates BIGINT,
    reasons VARCHAR, inferred VARCHAR, imported_at TIMESTAMP
);

CREATE TABLE text (text_id INTEGER, hash UBIGINT, body VARCHAR);
CREATE TABLE scenario (scenario_id INTEGER, dataset_id INTEGER, name VARCHAR);
CREATE TABLE model (model_id INTEGER, dataset_id INTEGER, name VARCHAR);
CREATE TABLE judge (judge_id INTEGER, dataset_id INTEGER, name VARCHAR, kind VARCHAR);
CREATE TABLE annotator (annotator_id INTEGER, dataset_id INTEGER, judge_id INTEGER, name VARCHAR);
CREATE TABLE criterion (criterion_id INTEGER, dataset_id INTEGER, name VARCHAR);
CREATE TABLE variant (variant_id INTEGER, dataset_id INTEGER, name VARCHAR);

-- A prompt is its external id where the file has one, else its text. Which scenario each import claims for it
-- is kept, so that withdrawing an import gives back the earlier claim; the earliest claim counts.
CREATE TABLE prompt (
    prompt_id INTEGER, dataset_id INTEGER, external_id VARCHAR, text_id INTEGER, scenario_id INTEGER
);
CREATE TABLE prompt_scenario (dataset_id INTEGER, prompt_id INTEGER, scenario_id INTEGER, import_id INTEGER);

-- Further labelings of the prompts, from a file of labels or from clusters of what prompts mean: each one is a set of
-- scenarios of its own beside that of the judgments' files. origin: file, clusters (whose rows have no import_id).
CREATE TABLE labeling (labeling_id INTEGER, dataset_id INTEGER, name VARCHAR, origin VARCHAR);
CREATE TABLE label (label_id INTEGER, dataset_id INTEGER, labeling_id INTEGER, name VARCHAR);
CREATE TABLE prompt_label (
    dataset_id INTEGER, labeling_id INTEGER, prompt_id INTEGER, label_id INTEGER, import_id INTEGER
);

CREATE TABLE response (
    response_id INTEGER, dataset_id INTEGER, prompt_id INTEGER, model_id INTEGER, text_id INTEGER
);

-- a and b as first seen; pair_key holds the files' own ids of pairs.
CREATE TABLE pair (
    pair_id INTEGER, dataset_id INTEGER, prompt_id INTEGER, response_a INTEGER, response_b INTEGER,
    model_a INTEGER, model_b INTEGER
);
CREATE TABLE pair_key (dataset_id INTEGER, external_id VARCHAR, pair_id INTEGER, import_id INTEGER);

-- outcome: 0 none, 1 a, 2 b, 3 tie, 4 both bad. p_a: NULL where outcome is none.
-- shown: +1 a first, -1 b first, 0 unknown. cue: +1 for a, -1 for b, 0 none.
-- rankable: two different models are named.
CREATE TABLE judgment (
    judgment_id BIGINT, dataset_id INTEGER, import_id INTEGER, judge_id INTEGER, criterion_id INTEGER,
    variant_id INTEGER, scenario_id INTEGER, prompt_id INTEGER, pair_id INTEGER, model_a INTEGER,
    model_b INTEGER, annotator_id INTEGER, rankable BOOLEAN, outcome TINYINT, p_a DOUBLE, shown TINYINT,
    weight DOUBLE, repeat INTEGER, score_a DOUBLE, score_b DOUBLE, confidence DOUBLE, seconds DOUBLE,
    judged_at TIMESTAMP, cue TINYINT, reason VARCHAR, external_id VARCHAR
);

-- A later import held this judgment too: withdrawing the first hands the row on. hash: its share of the fingerprint.
CREATE TABLE witness (dataset_id INTEGER, judgment_id BIGINT, import_id INTEGER, hash UBIGINT);

-- Delivered factors: of a response where every row agrees on its value, else of a judgment.
CREATE TABLE factor (factor_id INTEGER, dataset_id INTEGER, name VARCHAR);
CREATE TABLE response_value (
    dataset_id INTEGER, response_id INTEGER, factor_id INTEGER, value DOUBLE, label VARCHAR, import_id INTEGER
);
CREATE TABLE judgment_value (
    dataset_id INTEGER, judgment_id BIGINT, factor_id INTEGER, value_a DOUBLE, value_b DOUBLE, label_a VARCHAR,
    label_b VARCHAR, import_id INTEGER
);

-- What the program measured: one row a text and factor, written factor by factor, so that a scan for one factor skips
-- the others. No row: not measured yet; NULL: the text has no such value. A version that is no longer in use has no rows.
CREATE TABLE text_factor (text_factor_id INTEGER, name VARCHAR, version INTEGER);
CREATE TABLE text_value (text_id INTEGER, text_factor_id INTEGER, value DOUBLE);
-- The same of factors that look at a response beside its prompt: overlap, similarity of meaning.
CREATE TABLE answer_value (text_id INTEGER, prompt_text_id INTEGER, text_factor_id INTEGER, value DOUBLE);

-- The meaning of a text as a vector of length 1. embedder.name: the model and its version.
CREATE TABLE embedder (embedder_id INTEGER, name VARCHAR);
CREATE TABLE embedding (text_id INTEGER, embedder_id INTEGER, vector FLOAT[]);

-- Of large datasets, the factors whose differences a - b stand ready, one row a pair in ascending order of their ids, so
-- that a fit of ten million judgments streams them. stamp: the state of the store that they were made from; where it no
-- longer holds they are not read. scale, known: root mean square, and of how many pairs; word: for the fingerprint.
CREATE TABLE packed (packed_id INTEGER, dataset_id INTEGER, name VARCHAR, version INTEGER, stamp VARCHAR, pairs BIGINT, scale DOUBLE, known BIGINT, word VARCHAR);
CREATE TABLE difference (packed_id INTEGER, value FLOAT);

-- Weights that others have published of judges whose judgments are not here; scenario: as published.
CREATE TABLE published_weight (
    dataset_id INTEGER, import_id INTEGER, judge VARCHAR, kind VARCHAR, scenario VARCHAR, factor VARCHAR, weight DOUBLE
);

-- Facts about an annotator, judge, model, prompt or pair.
CREATE TABLE attribute (
    dataset_id INTEGER, entity VARCHAR, entity_id INTEGER, name VARCHAR, value VARCHAR, import_id INTEGER
);

-- Which models are a judge's own, as somebody has said, by name; model NULL: none of them.
CREATE TABLE own_model (dataset_id INTEGER, judge VARCHAR, model VARCHAR);

-- How models and judges of a dataset are shown, by name: an import that is withdrawn and read again leaves it in force.
CREATE TABLE display (
    dataset_id INTEGER, kind VARCHAR, name VARCHAR, shown VARCHAR, place INTEGER, hidden BOOLEAN
);

-- What somebody chose for a dataset and the next visit finds again, as words.
CREATE TABLE setting (dataset_id INTEGER, name VARCHAR, value VARCHAR);

-- Views of a dataset that somebody kept: a page and its address.
CREATE TABLE saved_view (dataset_id INTEGER, name VARCHAR, page VARCHAR, address VARCHAR, saved_at TIMESTAMP);

-- How the last file of a shape (the digest of its columns) was read, offered for the next one.
CREATE TABLE file_shape (shape VARCHAR, file_name VARCHAR, choices VARCHAR, used_at TIMESTAMP);

-- The order-free sum of row hashes that each import added for each judge (judge_id NULL: scenario labels).
CREATE TABLE fingerprint (dataset_id INTEGER, import_id INTEGER, judge_id INTEGER, n_rows BIGINT, hash UBIGINT);

-- What a simulation planted, and the coefficient that a fit of the exact expected outcomes would have.
CREATE TABLE truth (
    dataset_id INTEGER, kind VARCHAR, judge VARCHAR, scenario VARCHAR, name VARCHAR, planted DOUBLE,
    pseudo_true DOUBLE
);
