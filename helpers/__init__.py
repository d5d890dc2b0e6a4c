"""The plumbing of the workbook: everything that is needed and not taught."""
