"""The libraries that asv's pages load from elsewhere, copied beside them.

They come from the npm registry, pinned by `packages/package.json`; none is kept in this repository.
"""

import re
import shutil
import subprocess
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

FOLDER = "libraries"
COPIES = {  # what an address ends with: the package, and the file in it
    "jquery-3.3.1.min.js": "jquery/dist/jquery.min.js",
    "jquery.flot.min.js": "flot/jquery.flot.js",
    "jquery.flot.time.min.js": "flot/jquery.flot.time.js",
    "jquery.flot.selection.min.js": "flot/jquery.flot.selection.js",
    "jquery.flot.categories.min.js": "flot/jquery.flot.categories.js",
    "jquery.flot.orderBars.js": "flot-orderbars/js/jquery.flot.orderBars.js",
    "stupidtable.min.js": "stupid-table-plugin/stupidtable.min.js",
    "md5.min.js": "blueimp-md5/js/md5.min.js",
    "bootstrap.min.js": "bootstrap/dist/js/bootstrap.min.js",
    "bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
}
_TAG = re.compile(r'<(script|link)\b[^>]*?\b(src|href)="(https?://[^"]+)"[^>]*>')


class VendorError(Exception):
    """The libraries can't be had, with the reason and the remedy."""


def make_local(site: Path) -> None:
    """Copy the libraries into a site of asv, and let its pages load them from there.

    Raises VendorError if npm is missing or fails, or a page loads what is not known here. The site
    is then as asv made it.
    """
    pages = {path: _rewritten(path.read_text("utf-8"), path) for path in site.glob("*.html")}
    with TemporaryDirectory() as folder:
        modules = _install(Path(folder))
        missing = [source for source in COPIES.values() if not (modules / source).is_file()]
        if missing:
            message = f"npm brought no {missing[0]}; mend npm, then make the dashboard again"
            raise VendorError(message)
        for source in COPIES.values():
            target = site / FOLDER / source
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(modules / source, target)
        fonts = "bootstrap/dist/fonts"
        shutil.copytree(modules / fonts, site / FOLDER / fonts, dirs_exist_ok=True)
    for path, text in pages.items():
        path.write_text(text, "utf-8")


def _rewritten(page: str, path: Path) -> str:
    """Return the page with libraries at their local places, without checksums.

    The checksums are those of other builds of the same versions.
    """

    def local(tag: re.Match[str]) -> str:
        kind, _, address = tag.groups()
        source = COPIES.get(address.rsplit("/", 1)[-1])
        if source is None:
            message = (
                f"{path.name} loads {address}, which is not among the libraries known here; "
                "use the asv version that pyproject.toml names"
            )
            raise VendorError(message)
        place = f"{FOLDER}/{source}"
        if kind == "link":
            return f'<link rel="stylesheet" href="{place}">'
        return f'<script src="{place}" onerror="js_load_failure()">'

    return _TAG.sub(local, page)


def _install(folder: Path) -> Path:
    """Let npm fetch the pinned packages; return the folder that holds them."""
    npm = shutil.which("npm")
    if npm is None:
        message = "npm is missing: install Node.js with npm, then make the dashboard again"
        raise VendorError(message)
    with as_file(files("jacchain.harnesses") / "packages" / "package.json") as source:
        shutil.copyfile(source, folder / "package.json")
    command = [npm, "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lines = result.stderr.splitlines()
        errors = [line for line in lines if "error" in line or "ERR" in line]
        reason = next(iter(errors or lines), f"exit status {result.returncode}")
        message = f"npm failed: {reason}; mend that, then make the dashboard again"
        raise VendorError(message)
    return folder / "node_modules"
