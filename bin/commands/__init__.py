"""The commands of `verbale`, one module a subject."""
