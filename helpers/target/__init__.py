"""Which AWS boto3 speaks to, and what the workbook adds to each request on its way there."""
