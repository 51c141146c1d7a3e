"""The text of `rnass --cite`; CITATION.cff of the repository has the same."""

import rnass

__all__ = ["AUTHORS", "TITLE", "citation"]

AUTHORS = "the rnass authors"
TITLE = "rnass: RNA secondary structure from an RNA language model"


def citation() -> str:
    """How to cite the installed version, in words and as BibTeX."""
    return f"""{AUTHORS}. {TITLE}. Version {rnass.__version__}.

@software{{rnass,
  author  = {{{{{AUTHORS}}}}},
  title   = {{{TITLE}}},
  version = {{{rnass.__version__}}},
  license = {{MIT}}
}}

There is no paper yet: please state the version and the weights (`rnass info` prints them). Cite also ViennaRNA
(Lorenz et al. 2011, https://doi.org/10.1186/1748-7188-6-26), whose energies and base-pair probabilities every
prediction uses; docs/citations.md lists all methods and data.
"""
