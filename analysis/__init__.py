"""Numbers only: arrays or frames in, frozen dataclasses out. Knows no store, file or screen."""
