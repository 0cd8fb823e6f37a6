"""Segments of time as iCalendar (RFC 5545), for any program that shows calendars."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from domain.values import moment


class CalendarEvent(NamedTuple):
    """One entry of a calendar: half-open, in microseconds UTC. `uid` names it for ever: read again, it is replaced."""

    uid: str
    start: int
    end: int
    summary: str
    description: str


def as_icalendar(name: str, time_zone: str, made_by: str, made_at: int, entries: Iterable[CalendarEvent]) -> str:
    """A calendar called `name`. Instants are in UTC, and no entry blocks anybody's time."""
    # Here, not above: it takes a tenth of a second that every other command would pay too.
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", f"-//{made_by}//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", time_zone)
    for entry in entries:
        event = Event()
        event.add("uid", entry.uid)
        event.add("dtstamp", _whole_second(made_at))
        event.add("dtstart", _whole_second(entry.start))
        event.add("dtend", _whole_second(entry.end))
        event.add("summary", entry.summary)
        event.add("description", entry.description)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    text: bytes = calendar.to_ical()
    return text.decode()


def _whole_second(instant: int) -> datetime:
    return moment(instant).replace(microsecond=0)
