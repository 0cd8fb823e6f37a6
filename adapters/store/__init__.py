"""The log of facts: append a batch in one transaction, read what is recorded. Its own language (SQL) stays here."""
