"""One RNA through `fold_many`."""

from rnass.errors import RnassError
from rnass.thermodynamics.folding import fold_many


def fold(rna, **options):
    (found,) = fold_many([rna], **options)
    if isinstance(found, RnassError):
        raise found
    return found
