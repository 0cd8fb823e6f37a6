"""Figures for people: one module per report, from a replay or from live tables, and the formats they are written in."""
