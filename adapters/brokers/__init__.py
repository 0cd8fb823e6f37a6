"""Brokers: where producers publish messages and read outcomes. One module a broker."""
