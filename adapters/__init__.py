"""Stores, brokers, files. Messages become commands here, and facts their stored form."""
