"""House rules that no linter knows: fast import, a tidy top level, small files and functions."""

import ast
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import jacchain

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "jacchain").rglob("*.py"))
FOLDERS = {"jacchain", "tests", "benchmarks", "docs", "scripts", "results"}
FILES = {"asv.conf.json", "pyproject.toml", "Makefile", "README.md", "CHANGELOG.md", "LICENSE"}
GENERATED = {"__pycache__", "build", "dist", "local"}


def committed_files():
    """Files that git knows; without git, all but what tools leave behind."""
    command, names = [shutil.which("git"), "ls-files", "-z"], []
    if command[0]:
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        names = [Path(name) for name in result.stdout.split("\0") if name]
    if not names:
        everything = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        names = [p for p in everything if p.parts[0][0] != "." and GENERATED.isdisjoint(p.parts)]
    return [name for name in names if (ROOT / name).is_file()]


def lines_of(function):
    """How many lines a function's body takes, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_importing_jacchain_loads_no_slow_library():
    code = "import sys, jacchain; print(*sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(child.stdout.split())
    assert "jacchain.chains" in modules
    assert modules.isdisjoint({"asv", "matplotlib", "pandas", "pydantic", "sympy"})


def test_the_top_level_is_tidy():
    top_level = {name.parts[0] for name in committed_files()}
    assert {name for name in top_level if not name.startswith(".")} <= FOLDERS | FILES
    assert {"jacchain", "tests", "pyproject.toml"} <= top_level


def test_no_committed_file_is_large():
    sizes = {name: (ROOT / name).stat().st_size for name in committed_files()}
    assert {name: size for name, size in sizes.items() if size > 2**20} == {}


def test_no_file_is_long():
    lengths = {source: len(source.read_text("utf-8").splitlines()) for source in SOURCES}
    assert {source: length for source, length in lengths.items() if length > 500} == {}


def test_no_function_is_long():
    lengths = {
        f"{source}:{node.lineno} {node.name}": lines_of(node)
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > 40} == {}


def test_every_public_name_is_documented_by_example():
    public = {name: getattr(jacchain, name) for name in jacchain.__all__}
    docs = {name: inspect.getdoc(value) for name, value in public.items() if callable(value)}
    assert [name for name, text in docs.items() if "Examples\n-----" not in (text or "")] == []
