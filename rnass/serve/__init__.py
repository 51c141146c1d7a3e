"""The local web page: RNAs in, progress, the report of the run, its files. For this computer only."""

from rnass.serve.app import make_app, serve
from rnass.serve.jobs import JobQueue, Limits, RefusedError

__all__ = ["JobQueue", "Limits", "RefusedError", "make_app", "serve"]
