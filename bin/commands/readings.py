"""The command that lists the questions the contract leaves open, and how a reading may answer each."""

import json

from rich.text import Text

from bin.commands.console import Plain, console, print_pairs
from bin.commands.options import words
from bin.language import Words
from projections.readings import QUESTIONS


def readings(*, format: Plain = "table") -> None:
    """The questions that the contract leaves open, and the answers that a reading may give to each.

    A reading is given as --reading NAME=ANSWER,... The first answer is that of the literal reading, which holds where
    a reading gives none.

    Parameters
    ----------
    format
        table or json.
    """
    if format == "json":
        rows = [{"question": name, **question._asdict()} for name, question in QUESTIONS.items()]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    say = Words(words().language, "help")
    wide = max(len(answer) for question in QUESTIONS.values() for answer in question.answers)
    for name, question in QUESTIONS.items():
        console().print(Text(f"{name} ({question.clause}): {say(question.asks)}"))
        print_pairs([(f"{answer:{wide}}", say(meaning)) for answer, meaning in question.answers.items()], "  ")
        print()
