"""Two directives: `modules` documents the files of a package, `names` what a package exports."""

import ast
import inspect
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from claim_pages import module_of
from docutils.nodes import Node
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import jacchain
from jacchain.claims.registry import experiments


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("modules", Modules)
    app.add_directive("names", Names)
    return {"parallel_read_safe": True}


class Modules(SphinxDirective):
    """Document every public file of some packages, after a list with the first line of each.

    The claims' own files are left out: each has a page.
    """

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[Node]:
        """Return the list, and a section for each file."""
        names = [name for package in self.arguments[0].split() for name in files(package)]
        summary = [f":py:mod:`{path(name)} <{name}>`\n    {first_line(name)}\n" for name in names]
        text = "\n".join([*summary, *(section(name) for name in names)])
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def section(module: str) -> str:
    """Document a file: the names that the package exports first, whose entries are elsewhere."""
    exported = public().get(module, {})
    lines = [
        path(module),
        "-" * len(path(module)),
        "",
        f".. automodule:: {module}",
        f"   :exclude-members: {', '.join(exported)}",
        "",
        *(f".. auto{kind}:: {module}.{name}\n   :no-index:\n" for name, kind in exported.items()),
    ]
    return "\n".join(lines)


@cache
def public() -> dict[str, dict[str, str]]:
    """Return the names that have an entry in the reference with their kinds, by their modules."""
    names: dict[str, dict[str, str]] = {}
    for package in (jacchain, jacchain.networks, jacchain.jacobians):
        for name in package.__all__:
            value = getattr(package, name)
            if inspect.isclass(value) or inspect.isroutine(value):
                names.setdefault(value.__module__, {})[value.__name__] = kind_of(value)
    return names


def kind_of(value: object) -> str:
    """Return which of autodoc's directives documents a value."""
    return "class" if inspect.isclass(value) else "function" if callable(value) else "data"


def files(package: str) -> list[str]:
    """Return the names of a package's public modules, or that of a module without any."""
    folders = find_spec(package).submodule_search_locations or ()
    below = [m.name for m in iter_modules(folders) if m.name[0] != "_"]
    own_page = {module_of(experiment).__name__ for experiment in experiments().entries.values()}
    names = [f"{package}.{name}" for name in below] or [package]
    return [name for name in names if name not in own_page]


def path(module: str) -> str:
    """Return a module's file, from the package's root."""
    return module.removeprefix("jacchain.").replace(".", "/") + ".py"


def first_line(module: str) -> str:
    """Return the first line of a module's docstring; the module is not imported."""
    tree = ast.parse(Path(find_spec(module).origin).read_text("utf-8"))
    return (ast.get_docstring(tree) or "").partition("\n")[0]


class Names(SphinxDirective):
    """Document every name in a package's ``__all__``; if jacchain exports it, say only that."""

    required_arguments = 1

    def run(self) -> list[Node]:
        """Return an entry for each name."""
        package = import_module(self.arguments[0])
        entries, elsewhere = [], []
        for name in package.__all__:
            value = getattr(package, name)
            if package is not jacchain and getattr(jacchain, name, None) is value:
                elsewhere.append(f":py:obj:`jacchain.{name}`")
            elif inspect.ismodule(value):
                entries.append(f".. py:module:: {package.__name__}.{name}\n   :no-index:\n")
            else:
                entries.append(f".. auto{kind_of(value)}:: {package.__name__}.{name}\n")
        if elsewhere:
            entries.insert(0, f"Also here, as above: {', '.join(elsewhere)}.\n")
        return self.parse_text_to_nodes("\n".join(entries))
