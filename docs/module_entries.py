"""Two directives: `modules` documents the files of a package, `names` what a package exports."""

import ast
import inspect
import sys
from functools import cache, reduce
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType, SimpleNamespace
from typing import Any, get_origin, get_type_hints

from claim_pages import module_of
from docutils.nodes import Node, Text, document
from numpy.typing import ArrayLike
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import stringify_annotation

import jacchain
from jacchain.chains.bracketing import Bracketing
from jacchain.claims.registry import experiments

ALIASES = [
    (stringify_annotation(alias, "smart"), name)
    for alias, name in ((ArrayLike, "ArrayLike"), (Bracketing, "Bracketing"))
]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("modules", Modules)
    app.add_directive("names", Names)
    for module in [module for name, module in sys.modules.items() if name.startswith("jacchain.")]:
        leave_bounds_out(module)
    app.connect("autodoc-process-signature", shorten)
    app.connect("doctree-read", unlink_bytes)
    return {"parallel_read_safe": True}


def leave_bounds_out(module: ModuleType) -> None:
    """Reduce every ``Annotated[int, Field(ge=0)]`` of a module to int, for readers."""
    for name, value in tuple(vars(module).items()):
        if get_origin(value) is not None:
            setattr(module, name, bare(value))
        elif getattr(value, "__module__", None) == module.__name__:
            for item in (value, getattr(value, "__init__", None)):
                hints = getattr(item, "__annotations__", {})
                hints.update({key: bare(hint) for key, hint in hints.items()})


def bare(hint: Any) -> Any:
    """Return a type without its metadata, at any depth."""
    if "Annotated[" not in str(hint):
        return hint
    return get_type_hints(SimpleNamespace(__annotations__={"hint": hint}))["hint"]


def shorten(*event: Any) -> tuple[str | None, ...]:
    """Write aliases of types in a signature by their names."""
    return tuple(
        reduce(lambda text, alias: text.replace(*alias), ALIASES, text) if text else text
        for text in event[-2:]
    )


def unlink_bytes(_app: Sphinx, page: document) -> None:
    """Leave `bytes` without a link: the type is not the field of that name in plans and costs."""
    for link in tuple(page.findall(pending_xref)):
        if link["reftarget"] == "bytes":
            link.replace_self(Text("bytes"))


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
