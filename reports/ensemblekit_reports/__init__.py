"""From a table to a report: study, cells, statistics, cost, figures, page."""
