"""Choose the AWS that boto3 speaks to, and hook into each request on its way there."""
