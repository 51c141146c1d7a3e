"""rnass: RNA secondary structure from a frozen RNA language model."""

__version__ = "0.1.0"
