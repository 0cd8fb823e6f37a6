"""The shape of the house, as CONTRIBUTING promises it: short modules, one name for one thing, no circle of imports."""

import ast
from collections import Counter
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
FILES = [
    file for floor in ("domain", "projections", "adapters", "bin") for file in sorted((ROOT / floor).rglob("*.py"))
]
MODULES = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in FILES if file.name != "__init__.py"}
TREES = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in MODULES.items()}
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc"}


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & MODULES.keys()


def test_no_module_is_over_400_lines_and_half_are_under_150() -> None:
    assert {name: lines(file) for name, file in MODULES.items() if lines(file) > 400} == {}
    assert median(map(lines, MODULES.values())) < 150


def test_no_two_public_classes_have_one_name() -> None:
    classes = Counter(
        node.name
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, number in classes.items() if number > 1] == []


def test_no_imports_go_in_a_circle() -> None:
    left = {name: imported(tree) - {name} for name, tree in TREES.items()}
    while free := {name for name, needs in left.items() if not needs}:
        left = {name: needs - free for name, needs in left.items() if name not in free}
    assert left == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name for name in MODULES if name.rpartition(".")[2] in VAGUE] == []
