-- Version 6: how a dataset is shown, what was chosen for it, views that were kept, how files of a shape were read.
CREATE TABLE display (
    dataset_id INTEGER, kind VARCHAR, name VARCHAR, shown VARCHAR, place INTEGER, hidden BOOLEAN
);
CREATE TABLE setting (dataset_id INTEGER, name VARCHAR, value VARCHAR);
CREATE TABLE saved_view (dataset_id INTEGER, name VARCHAR, page VARCHAR, address VARCHAR, saved_at TIMESTAMP);
CREATE TABLE file_shape (shape VARCHAR, file_name VARCHAR, choices VARCHAR, used_at TIMESTAMP);
