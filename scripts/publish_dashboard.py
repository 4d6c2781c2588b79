"""Build asv's pages of results/asv and copy them to a folder that any web server can publish.

    python scripts/publish_dashboard.py build/dashboard

Run it in a clone with its history. The pages hold the libraries that they load, and their links
are relative: the folder can lie anywhere below the server's root, as on GitHub Pages.
"""

import shutil
import sys
from pathlib import Path

from jacchain.harnesses.site import build, summary


def publish(root, target):
    """Build the site of a repository, and put a copy in the place of an older one."""
    if target.exists() and not (target / "complexity.html").is_file():
        message = f"{target} exists and is no dashboard; name another folder"
        raise SystemExit(message)
    site = build(root)
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(site, target)
    (target / ".nojekyll").touch()  # GitHub Pages then serves the files as they are
    return f"{summary(target)}: {target}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    print(publish(Path.cwd(), Path(sys.argv[1])))
