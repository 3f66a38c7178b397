"""What is held: the store, the queries on it, and the importers that fill it."""
