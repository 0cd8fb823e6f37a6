"""A message becomes facts, once: read, decided, stored with its outcome, answered."""
