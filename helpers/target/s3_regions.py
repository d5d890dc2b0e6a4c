"""Let a bucket be made in the session's region, and made again without an error, in each region as in us-east-1.

In us-east-1 S3 needs no LocationConstraint and lets the owner create the same bucket twice; elsewhere it asks for the
one and refuses the other. Lesson 13 is about stacks, and its cell should read the same everywhere.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
"""

from typing import Any

HOME = "us-east-1"


def install(events: Any) -> None:
    """Make the clients that a session creates from now on do so; `events` is boto3's Session.events."""
    for event, handler in (
        ("provide-client-params.s3.CreateBucket", _add_location),
        ("after-call.s3.CreateBucket", _accept_own_bucket),
    ):
        events.unregister(event, unique_id=f"workbook region {event}")
        events.register(event, handler, unique_id=f"workbook region {event}")


def _add_location(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    region = context["client_region"]
    if region != HOME and "CreateBucketConfiguration" not in params:
        params["CreateBucketConfiguration"] = {"LocationConstraint": region}


def _accept_own_bucket(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
    if parsed.get("Error", {}).get("Code") == "BucketAlreadyOwnedByYou":
        del parsed["Error"]
        parsed["ResponseMetadata"]["HTTPStatusCode"] = http_response.status_code = 200
