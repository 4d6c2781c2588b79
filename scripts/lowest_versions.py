"""Print pip's constraints that pick the lowest version of every direct dependency.

    python scripts/lowest_versions.py > lowest.txt
    python -m pip install --constraint lowest.txt --editable '.[test]'

The versions are the lower bounds in pyproject.toml; what these libraries need in turn stays free.
"""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def lowest(project):
    """Return the requirements of a project and of all its extras, each at its lower bound."""
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    own = f"{project['name']}["  # an extra that includes others
    several = {requirement for names in lists for requirement in names}
    return sorted(r.replace(">=", "==") for r in several if not r.startswith(own))


if __name__ == "__main__":
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    print(*lowest(settings["project"]), sep="\n")
