"""What the contract says: facts, commands and rules, with no clock, no random and no I/O."""

__version__ = "0.1.0"
"""Of the program; every report names it. Here, where every floor may see it."""
