"""Everything that is started: the command line, and where its parts are put together."""

__version__ = "0.1.0"
