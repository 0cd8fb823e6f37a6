"""What every test run needs: the pinned time-zone rules, and hypothesis without a stopwatch."""

import os
import zoneinfo

from hypothesis import settings

# The tzdata package, never the machine's own files: the same rules everywhere.
zoneinfo.reset_tzpath(())

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
