"""What the contract says: facts, commands and rules, with no clock, no random and no I/O."""
