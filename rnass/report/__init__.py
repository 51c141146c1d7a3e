"""The page of a run: one HTML file that holds everything and opens without a network."""

from rnass.report.page import report_page, write_report
from rnass.report.tables import has_tables, tables_page

__all__ = ["has_tables", "report_page", "tables_page", "write_report"]
