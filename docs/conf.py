"""Sphinx configuration; build with `python -m sphinx -W docs docs/_build`."""

import re

from rnass import __version__

project = "rnass"
author = "the rnass authors"
copyright = author  # noqa: A001 - Sphinx's name for it
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "images"]
myst_enable_extensions = ["dollarmath"]
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


def adapt_markdown(app, docname, source):  # noqa: ANN001, ANN201 - Sphinx's signature
    """Let pages be plain Markdown, which also reads well outside of Sphinx.

    Links to files outside of this folder become downloads. index.md gets a table of contents: the pages
    that it links, section by section.
    """
    text = re.sub(r"\]\(\.\./", "](path:../", source[0])
    if docname == "index":
        for section in text.split("\n### ")[1:]:
            caption = section.partition("\n")[0]
            pages = dict.fromkeys(re.findall(r"\]\((\w+)\.(?:md|rst)\)", section))
            listed = "\n".join([f":caption: {caption}", "", *pages])
            text += f"\n\n```{{toctree}}\n:hidden:\n{listed}\n```\n"
    source[0] = text


def setup(app):  # noqa: ANN001, ANN201 - Sphinx's signature
    """Register what this file adds to Sphinx."""
    app.connect("source-read", adapt_markdown)
