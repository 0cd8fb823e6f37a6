"""Another zone file: what a release of the time-zone data, or a machine that is wrong, makes of a place."""

import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path


@contextmanager
def zone_files(folder: Path, **places: str) -> Iterator[None]:
    """Meanwhile programs read other data: `Europe__Rome="Africa/Lagos"` makes Rome go by the clocks of Lagos."""
    packaged = resources.files("tzdata").joinpath("zoneinfo")
    for name, like in places.items():
        file = folder / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(packaged.joinpath(*like.split("/")).read_bytes())
    usual = zoneinfo.TZPATH
    try:
        zoneinfo.reset_tzpath([folder])
        zoneinfo.ZoneInfo.clear_cache()
        yield
    finally:
        zoneinfo.reset_tzpath(usual)
        zoneinfo.ZoneInfo.clear_cache()
