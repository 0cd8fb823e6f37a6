"""Read models kept current: tables that hold, at every moment, what a replay would say."""
