"""The local web page: RNAs in, progress, the report of the run, its files. For this computer only."""

from rnass.serve.app import listening, serve
from rnass.serve.jobs import JobQueue, Limits

__all__ = ["JobQueue", "Limits", "listening", "serve"]
