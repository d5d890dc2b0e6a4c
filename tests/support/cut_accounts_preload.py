"""What a process for a cut-off account needs, loaded once for all of them; no account is opened."""

import functools

import boto3
import botocore.loaders

import helpers.local_aws.cloudformation.api
import helpers.local_aws.inside.opening
import helpers.local_aws.services  # noqa: F401

# botocore reads its descriptions of services for each session anew: that is half of what such a process does.
_read = botocore.loaders.JSONFileLoader().load_file
_kept = functools.cache(_read)
botocore.loaders.JSONFileLoader.load_file = lambda loader, path: _kept(path)
for service in ("cloudformation", "dynamodb", "sqs", "logs", "events", "lambda", "iam"):
    boto3.session.Session("x", "x", region_name="us-east-1").client(service)
