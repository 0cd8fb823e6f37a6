"""Random contracts: calendars, options, credits, and everything that may change them."""

from support.random_facts import DAY, PARTIES, SOURCES, SYSTEMS, Message, Teller, text

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS = (
    [["08:00", "18:00"]],
    [["08:00", "18:00"]],
    [["08:00", "12:00"], ["13:00", "18:00"]],
    [["08:00", "21:00"]],
    [["22:00", "02:00"]],
    [["00:00", "02:00"], ["08:00", "12:00"]],
    [["00:00", "02:30"], ["23:00", "24:00"]],
    [["01:30", "02:30"], ["09:00", "17:00"]],
    [["02:00", "03:00"], ["20:00", "24:00"]],
    [["00:00", "24:00"]],
    [["18:00", "06:00"]],
)
MATRIX = {
    "high": {"high": 1, "medium": 2, "low": 3},
    "medium": {"high": 2, "medium": 3, "low": 4},
    "low": {"high": 3, "medium": 4, "low": 5},
}

OPERATION = {
    "service": "operation",
    "monitoring": ["uptime"],
    "committed_minutes": 601,
    "per": "month",
    "activities": ["campaigns"],
    "review_every": "quarter",
}
SMALL_OPERATION = {**OPERATION, "committed_minutes": 100, "per": "quarter", "review_every": None}
MAINTENANCE = {"service": "maintenance", "activities": [{"name": "updates", "visits": 2, "per": "month"}]}


class ContractTeller(Teller):
    """Tells what happens to contracts."""

    def contract(self, name: str) -> None:
        """A contract with its calendars, options, credits and everything that may change it."""
        rng, stream, span = self.rng, f"contract-{name}", self.history.span
        self.names.append(name)
        before = self.history.start - rng.randint(1, 40) * DAY - rng.choice([0, 0, 90])
        signed = self.minute(0, span // 3) if self.often(0.08) else before
        begins = self.minute(0, span // 3) if self.often(0.08) else before + rng.choice([0, 0, 100])
        data: Message = {"in_force_from": text(begins), "terms": self.terms(), "customers": self.customers(name)}
        if self.often(0.6):
            data["in_force_until"] = text(max(begins + 60, self.minute(span // 2, span * 3)))
        self.tell("contract.sign", stream, signed, data, late=0.05)
        self.calendars(stream, before)
        activated = self.minute(0, span // 2) if self.often(0.05) else before
        self.option(stream, activated, {"service": "assistance"})
        self.changes(stream)
        self.other_services(stream, before)
        self.credits(name, before)
        self.parties(stream)

    def terms(self) -> Message:
        """Terms with short times, so that many clocks are late."""
        rng = self.rng
        figures = rng.choice(["10%", "12.5%", "1/3"])
        return {
            "source": "signed",
            "time_zone": self.zone if self.often(0.8) else "Europe/Rome",
            "matrix": MATRIX,
            "levels": self.levels(),
            "tolerance": rng.choice(["10%", "1/3", "0/1", "1/2", "1/4"]),
            "penalty": {"figures": figures, "words": "5%"},
        }

    def levels(self) -> Message:
        """Guaranteed times that grow with the priority."""
        charge, intervention = self.rng.choice([30, 60, 120]), self.rng.choice([60, 240, 480])
        return {
            f"p{number}": {"charge": charge * number, "intervention": intervention * number} for number in range(1, 6)
        }

    def customers(self, name: str) -> list[str]:
        """Its own customer; at times one that other contracts list too."""
        return [f"customer-{name}", *(["shared"] if self.often(0.4) else [])]

    def calendars(self, stream: str, before: int) -> None:
        """One calendar, or several adopted one after the other; extensions agreed in time or too late."""
        for number in range(self.rng.choice([0, 1, 1, 1, 1, 1, 2, 3])):
            at = self.minute() if number or self.often(0.1) else before
            self.tell("contract.adopt_calendar", stream, at, self.calendar())
        for _ in range(self.rng.choice([0, 0, 1, 2])):
            self.tell("contract.extend_coverage", stream, self.minute(-DAY, self.history.span // 2), self.extension())

    def calendar(self) -> Message:
        """The hours and holidays of some years; not always of all that matter."""
        rng = self.rng
        first, last = rng.choice([(2025, 2028), (2025, 2028), (2025, 2028), (2025, 2026), (2026, 2026), (2027, 2027)])
        holidays = sorted({self.day() for _ in range(rng.randint(0, 4))})
        return {
            "source": "test",
            "source_version": "1",
            "first_year": first,
            "last_year": last,
            "standard": self.week(),
            "data_centre": self.week(),
            "holidays": [{"day": day, "name": "Holiday"} for day in holidays if first <= int(day[:4]) <= last],
        }

    def week(self) -> Message:
        """Windows of working days, or of every day."""
        hours = self.rng.choice(HOURS)
        return dict.fromkeys(WEEKDAYS[: self.rng.choice([5, 5, 7])], hours)

    def day(self) -> str:
        """A day of the history, or a little after it."""
        return text(self.history.start + self.rng.randrange(min(self.history.span, 60 * DAY)) + DAY)[:10]

    def extension(self) -> Message:
        """Windows added to named days, to weekdays of a period, to its holidays."""
        rng = self.rng
        windows = rng.choice([[["18:00", "21:00"]], [["09:00", "13:00"]], [["22:00", "02:30"]], [["00:00", "24:00"]]])
        hours = rng.choice([None, None, "standard", "data_centre"])
        if self.often(0.5):
            return {"dates": sorted({self.day() for _ in range(3)}), "windows": windows, "hours": hours}
        first, last = sorted([self.day(), self.day()])
        reach = rng.choice(["on_weekdays", "all", "none"])
        weekdays = rng.choice([["saturday", "sunday"], list(WEEKDAYS[:5]), list(WEEKDAYS)])
        period = {"first_day": first, "last_day": last, "weekdays": weekdays, "holidays": reach}
        return {**period, "windows": windows, "hours": hours}

    def option(self, stream: str, at: int, option: Message) -> None:
        """A service activated, at times from an earlier or a later date."""
        effective = at if self.often(0.85) else at + self.rng.choice([-10 * DAY, 2 * DAY])
        self.tell("contract.activate_option", stream, at, {"option": option, "effective": text(effective)})

    def changes(self, stream: str) -> None:
        """Levels revised, the option ended, the contract terminated and renewed: often told late."""
        rng, span = self.rng, self.history.span
        for _ in range(rng.choice([0, 0, 1, 2])):
            self.change("contract.revise_service_level", stream, {"levels": self.levels()})
        if self.often(0.15):
            self.change(
                "contract.end_option", stream, {"service": rng.choice(["assistance", "assistance", "operation"])}
            )
            if self.often(0.5):
                self.option(stream, self.minute(), {"service": "assistance"})
        if self.often(0.25):
            self.change("contract.terminate", stream, {"why": "so agreed"})
        for _ in range(rng.choice([0, 0, 1, 2])):
            renewal = {"until": text(self.minute(0, span * 3)), "revokes_termination": self.often(0.3)}
            self.tell("contract.renew", stream, self.minute(), renewal)
        for system in SYSTEMS:
            if self.often(0.5):
                self.tell("contract.declare_connected_system", stream, self.minute(-DAY, span // 2), {"system": system})
            if self.often(0.15):
                self.tell("contract.withdraw_connected_system", stream, self.minute(), {"system": system})
        for kind in ("claim", "waive", "settle"):
            if self.often(0.3):
                at = self.minute()
                step = {
                    "amount": f"{rng.randint(1, 90)}.50",
                    "reading": "literal",
                    "as_of": text(at),
                    "known_on": text(at),
                }
                self.tell(f"contract.{kind}_penalty", stream, at, step)

    def other_services(self, stream: str, before: int) -> None:
        """Conduzione and Manutenzione: activated, replaced, ended, and the work done under them or outside."""
        rng = self.rng
        for _ in range(rng.choice([0, 0, 1, 2])):
            self.option(
                stream, rng.choice([before, self.minute()]), rng.choice([OPERATION, SMALL_OPERATION, MAINTENANCE])
            )
        for number in range(rng.choice([0, 0, 3, 6])):
            activity = {"activity": rng.choice(["updates", "campaigns", "design"]), "by": "someone"}
            deeds: list[tuple[str, Message]] = [
                ("record_visit", activity),
                ("record_operation_hours", {**activity, "work": f"T{number}", "minutes": rng.randint(1, 500)}),
                ("hold_review", {"indicators": ["leads"]}),
            ]
            kind, data = rng.choice(deeds)
            self.tell(f"contract.{kind}", stream, self.minute(), data)
        if self.often(0.2):
            self.change("contract.end_option", stream, {"service": rng.choice(["maintenance", "operation"])})

    def change(self, kind: str, stream: str, data: Message) -> None:
        """A change that takes effect at once or later, told by one party or agreed."""
        at = self.minute()
        effective = at + self.rng.choice([0, 0, 60, 5 * DAY])
        self.tell(kind, stream, at, {**data, "effective": text(effective), **self.who()}, late=0.6)

    def credits(self, name: str, before: int) -> None:
        """Packages bought early and late, with and without expiry; minutes consumed, given back, refunded."""
        rng, stream, span = self.rng, f"credits-{name}", self.history.span
        for number in range(rng.choice([0, 1, 1, 1, 1, 1, 1, 2, 3])):
            at = before if number == 0 and self.often(0.95) else self.minute(-DAY)
            expires = text(at + rng.randint(1, 2 * span)) if self.often(0.3) else None
            price = f"{rng.randint(1, 900)}.{rng.choice(['00', '05', '15', '99'])}"
            bought = {
                "package": f"P{number}",
                "minutes": rng.choice([30, 600, 6000, 6000]),
                "price": price,
                "expires_at": expires,
            }
            self.tell("credits.purchase", stream, at, bought)
            if self.newer and self.often(0.25):
                back = {"package": f"P{number}", "minutes": rng.randint(1, 30), "price": f"{rng.randint(0, 9)}.50"}
                self.tell("credits.refund", stream, self.minute(), back)
        for number in range(rng.choice([0, 1, 2, 3])):
            at = self.minute()
            work = {"work": f"W{number}", "incident": f"I{rng.randrange(3)}", "minutes": rng.choice([1, 20, 90, 700])}
            self.tell("credits.consume", stream, at, work)
            if self.often(0.4):
                undone = {"work": f"W{number}", "why": "entered twice"}
                self.tell("credits.reverse", stream, at + rng.randint(0, 5 * DAY), undone)

    def parties(self, stream: str) -> None:
        """Sources that speak for a party, from some time on, perhaps not for ever."""
        if self.newer and self.often(0.3):
            for party in self.rng.choice([["supplier"], ["customer"], [*PARTIES]]):
                named = {"source": self.rng.choice(["desk:one", "desk:two", SOURCES[party]]), "party": party}
                self.tell("contract.appoint_source", stream, self.minute(-DAY), named)
                if self.often(0.3):
                    self.tell("contract.dismiss_source", stream, self.minute(), {"source": named["source"]})
