"""Whole numbers written as ranges: 1-3, 7. So the versions that prove a figure stay short, however many they are."""

from collections.abc import Sequence


def in_ranges(numbers: Sequence[int]) -> str:
    """Whole numbers in order, those that follow each other drawn together; "" for none."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in found)


def from_ranges(text: str) -> tuple[int, ...]:
    """The numbers that `in_ranges` wrote."""
    ends = (part.split("-") for part in text.split(", ") if part)
    return tuple(number for first, *last in ends for number in range(int(first), int(last[0] if last else first) + 1))
