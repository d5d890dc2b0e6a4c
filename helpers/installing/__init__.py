"""Makes the workbook's own Python environment, and runs its commands in it. Standard library only."""
