"""The world outside: the log, the wire, files. Two translations only: wire to command, fact to stored."""
