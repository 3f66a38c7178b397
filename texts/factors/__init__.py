"""The factors, one function each, in the order in which they are listed. See texts/registry.py for how to add one."""

from texts.factors import length, markup, tone, wording  # noqa: F401, I001
from texts.factors import answer  # noqa: F401
