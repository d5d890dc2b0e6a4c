"""Make the workbook's own Python environment, and run its commands in it. Standard library only."""
