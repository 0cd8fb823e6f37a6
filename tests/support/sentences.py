"""Every English sentence of the source that a person may read, found there: a new one lacks its Italian at once.

A pattern is a sentence whose places for values are empty: "{} is no file".
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PLACE = re.compile(r"\{\w*\}")
NOT_SHOWN = {"description", "title", "pattern", "examples", "json_schema_extra"}
"""Arguments whose texts are of a schema, not of a sentence."""
REFUSE = {"Rejected", "Refused", "Unreadable", "NotYet", "Quarantined", "ValueError"}
"""Whose sentences are reasons of a refused message, or of a line that cannot be used."""


@cache
def trees(*packages: str) -> dict[str, ast.Module]:
    """The modules of some packages, parsed, by their path."""
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in sorted(files)}


def pattern(node: ast.expr) -> str:
    """A sentence of the source with its places emptied."""
    match node:
        case ast.Constant(str() as text):
            return text
        case ast.JoinedStr(parts):
            return re.sub(r"(\{\})+", "{}", "".join(pattern(part) for part in parts))
        case ast.BinOp(left, ast.Add(), right):
            return pattern(left) + pattern(right)
        case _:
            return "{}"


def is_sentence(text: str) -> bool:
    """Whether it is made of words for people: two of them or more."""
    return re.search(r"[a-z]{2,}[,:;]? [\[(\"a-z0-9{]", text) is not None and not text.endswith(", ")


def errors() -> Iterator[tuple[str, str]]:
    """Every sentence of an error that a user can put right: where it is, and its pattern."""
    names = _user_errors()
    for file, tree in trees("projections", "adapters", "bin").items():
        for call in _calls(tree, names | {"Remark"}):
            yield from ((f"{file}:{call.lineno}", pattern(given)) for given in _sentences_given(call))


def findings() -> Iterator[tuple[str, str]]:
    """Every text of a finding: whatever sentence the projections hold, for they speak in findings alone.

    But for what they raise, which is a fault of the program.
    """
    for file, tree in trees("projections").items():
        if file != "projections/readings.py":  # its questions are of the help
            yield from _texts(file, tree, raised=False)


def refusals() -> Iterator[tuple[str, str]]:
    """Every reason of a refusal, and why a message waits: whatever sentence the domain holds, and the inbox's."""
    for file, tree in trees("domain").items():
        yield from _texts(file, tree)
    for file, tree in trees("adapters/inbox", "adapters/imports").items():
        for call in _calls(tree, REFUSE):
            yield from ((f"{file}:{call.lineno}", pattern(given)) for given in _sentences_given(call))


def finding_codes() -> set[str]:
    """The code of every finding."""
    names: set[str] = set()
    for tree in trees("projections").values():
        named = _named_texts(tree)
        for call in _calls(tree, {"Finding"}):
            given = call.args[0]
            names |= named[given.id] if isinstance(given, ast.Name) and given.id in named else set(_codes(given))
        for node in ast.walk(tree):
            # A code that is not given to Finding itself is the first of a pair, code and text, or a constant.
            if isinstance(node, ast.Tuple) and len(node.elts) == 2 and is_sentence(pattern(node.elts[1])):
                names |= set(_codes(node.elts[0]))
    return names


def words() -> Iterator[tuple[str, str]]:
    """Every text that is given to the words of a language: where it is, and the text."""
    for file, tree in trees("adapters", "bin").items():
        said = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args and _says(node)]
        held = _constants(file, tree) if said else {}
        for call in said:
            yield from ((f"{file}:{call.lineno}", text) for text in _texts_of(call.args[0], held))


def _says(call: ast.Call) -> bool:
    return ast.unparse(call.func).split(".")[-1] == "say"


def _constants(file: str, tree: ast.Module) -> dict[str, Any]:
    """What a module's names hold, and the names that run through what they hold."""
    held = vars(import_module(file.removesuffix(".py").replace("/", "."))).copy()
    for node in ast.walk(tree):
        match node:
            case ast.comprehension(ast.Name(name), ast.Name(over)) | ast.For(ast.Name(name), ast.Name(over)):
                if isinstance(found := held.get(over), list | tuple):
                    held[name] = dict(enumerate(found))
    return held


def _texts_of(given: ast.expr, held: Mapping[str, Any]) -> Iterator[str]:
    match given:
        case ast.Name(name) | ast.Subscript(ast.Name(name)):
            found = held.get(name)
            values = found.values() if isinstance(found, dict) else [found]
            yield from (value for value in values if isinstance(value, str))
        case _:
            yield from _choices(given)


def _choices(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(str() as text):
            yield text
        case ast.IfExp():
            yield from (*_choices(node.body), *_choices(node.orelse))
        case _:
            return


def _named_texts(tree: ast.Module) -> dict[str, set[str]]:
    """The code words that a module gives names to, by the name."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(name)], value=value):
                found.setdefault(name, set()).update(_codes(value))
            case ast.For(target=ast.Tuple([ast.Name(name), *_]), iter=ast.Tuple(rows)):
                firsts = (row.elts[0] for row in rows if isinstance(row, ast.Tuple))
                found.setdefault(name, set()).update(code for first in firsts for code in _codes(first))
    return found


def _codes(node: ast.expr) -> Iterator[str]:
    yield from (text for text in _choices(node) if re.fullmatch(r"[a-z]+(_[a-z]+)*", text))


def _user_errors() -> set[str]:
    """The names of all classes of errors that a user can put right."""
    found = {"UserError", "UnknownReading"}
    every = trees("projections", "adapters", "bin").values()
    classes = [node for tree in every for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    while more := {one.name for one in classes if any(ast.unparse(base) in found for base in one.bases)} - found:
        found |= more
    return found - {"Stopped"}  # carries a position, and is said in other words where it ends


def _calls(tree: ast.Module, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names and node.args:
            yield node


def _sentences_given(call: ast.Call) -> Iterator[ast.expr]:
    for given in [*call.args, *(one.value for one in call.keywords)]:
        yield from (one for one in _alternatives(given) if is_sentence(pattern(one)))


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.IfExp):
        yield from (*_alternatives(node.body), *_alternatives(node.orelse))
    else:
        yield node


def _texts(file: str, tree: ast.AST, *, raised: bool = True) -> Iterator[tuple[str, str]]:
    """The sentences of a module, but for its docstrings, its assertions and the texts of schemas."""
    begun: dict[str, ast.expr] = {}
    for node in ast.iter_child_nodes(tree):
        # A sentence may be put together in two statements: text = ..., text += ...
        match node:
            case ast.Assign(targets=[ast.Name(name)], value=value) if is_sentence(pattern(value)):
                if name in begun:
                    yield f"{file}:{begun[name].lineno}", pattern(begun[name])
                begun[name] = value
                continue
            case ast.AugAssign(target=ast.Name(name), op=ast.Add(), value=value) if name in begun:
                begun[name] = ast.copy_location(ast.BinOp(begun[name], ast.Add(), value), node)
                continue
        if isinstance(node, ast.Assert) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        if isinstance(node, ast.Raise) and not raised:
            continue
        if isinstance(node, ast.keyword) and node.arg in NOT_SHOWN:
            continue
        if isinstance(node, ast.expr) and (text := pattern(node)) != "{}":
            if is_sentence(text):
                yield f"{file}:{node.lineno}", text
            continue
        yield from _texts(file, node, raised=raised)
    yield from ((f"{file}:{value.lineno}", pattern(value)) for value in begun.values())
