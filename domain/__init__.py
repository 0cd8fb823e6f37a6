"""What the contract says: facts, commands and rules, with no clock, no random and no I/O."""

__version__ = "0.1.0"
"""The version of the program; every report states it. It is in `domain` because every package may import `domain`."""
