"""What the history means: pure folds over recorded facts, under a reading, as of an instant."""

RULES_VERSION = "5"
"""Raised when the same facts would give another figure or finding; every report names it."""
