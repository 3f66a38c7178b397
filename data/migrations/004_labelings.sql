-- Version 4: further labelings of the prompts beside that of the judgments' files, and published weights.
CREATE TABLE labeling (labeling_id INTEGER, dataset_id INTEGER, name VARCHAR, origin VARCHAR);
CREATE TABLE label (label_id INTEGER, dataset_id INTEGER, labeling_id INTEGER, name VARCHAR);
CREATE TABLE prompt_label (
    dataset_id INTEGER, labeling_id INTEGER, prompt_id INTEGER, label_id INTEGER, import_id INTEGER
);
CREATE TABLE published_weight (
    dataset_id INTEGER, import_id INTEGER, judge VARCHAR, kind VARCHAR, scenario VARCHAR, factor VARCHAR, weight DOUBLE
);
