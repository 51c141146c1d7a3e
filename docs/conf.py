"""Sphinx configuration; build with `python -m sphinx -W docs docs/_build`."""

from rnass import __version__

project = "rnass"
author = "the rnass authors"
copyright = author  # noqa: A001 - Sphinx's name for it
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "images"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

default_role = "code"  # docstrings write names in single backticks
suppress_warnings = ["ref.python"]  # a documented field with the name of properties of two classes
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"rnass {release}"
