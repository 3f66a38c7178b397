"""One file format a module; `registry` picks the one that reads a path."""
