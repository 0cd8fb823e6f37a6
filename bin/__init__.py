"""Everything that is started: the command line, and where its parts are put together."""

import zoneinfo

# Time zones come from the pinned tzdata package, never from the machine: the same figures everywhere. Here, because
# whatever is started is in this package, and zones once loaded stay as they were.
zoneinfo.reset_tzpath(())
zoneinfo.ZoneInfo.clear_cache()
