"""The benchmark: Verbale beside the library it stands on and beside the bare stores. `bin/bench --help`."""
