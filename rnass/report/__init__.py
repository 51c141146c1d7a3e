"""The page of a run: one HTML file that holds everything and opens without a network."""

from rnass.report.page import report_page, write_report

__all__ = ["report_page", "write_report"]
