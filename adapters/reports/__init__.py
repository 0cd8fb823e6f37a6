"""Figures for people: one room a report, from a replay or from live tables, and the formats they are written in."""
