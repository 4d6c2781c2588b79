"""Sphinx settings. The pages are the package's docstrings; they load nothing from the network."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # the two extensions beside this file

import jacchain  # noqa: E402

project = "jacchain"
author = "The jacchain authors"
copyright = author
version = release = jacchain.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "claim_pages", "module_entries"]
default_role = "py:obj"  # `name` links to its entry, where there is one
add_module_names = False
toc_object_entries_show_parents = "hide"
maximum_signature_line_length = 90
python_use_unqualified_type_names = True
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_google_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]  # a list, and no links from names
napoleon_use_rtype = False

smartquotes = False
html_theme = "alabaster"
html_theme_options = {
    "description": "What each order of multiplying a Jacobian chain costs",
    "fixed_sidebar": True,
    "page_width": "72rem",
    "sidebar_width": "16rem",
    "show_relbars": False,
}
html_static_path = ["_static"]
html_css_files = ["jacchain.css"]
html_show_sourcelink = False
html_copy_source = False
