-- Version 5: which models are a judge's own, as somebody has said.
CREATE TABLE own_model (dataset_id INTEGER, judge VARCHAR, model VARCHAR);
