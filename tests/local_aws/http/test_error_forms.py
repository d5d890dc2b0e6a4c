"""What is not there is refused in one line, in the form that each service's own client can read."""

from __future__ import annotations

import pytest
from botocore.credentials import Credentials as Keys
from botocore.exceptions import ClientError

from tests.local_aws.test_attacks import Session

QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.mark.parametrize(("service", "operation", "given", "said"), [
    ("eventbridgev2", "list_event_buses", {}, "The embedded AWS has no AWSEventsV2."),  # CBOR
    ("cloudwatch", "list_managed_insight_rules", {"ResourceARN": "x"}, "cannot do this yet"),  # CBOR
    ("sesv2", "list_contacts", {"ContactListName": "x"}, "does not know"),  # JSON, where XML is spoken, too
    ("ses", "reorder_receipt_rule_set", {"RuleSetName": "a", "RuleNames": []}, "cannot do this yet"),  # XML
    ("s3", "create_bucket_metadata_configuration", {
        "Bucket": "b",
        "MetadataConfiguration": {"JournalTableConfiguration": {"RecordExpiration": {"Expiration": "DISABLED"}}},
    }, "cannot do this yet"),  # XML
    ("pipes", "create_pipe", {"Name": "p", "Source": QUEUE, "Target": QUEUE, "RoleArn": ROLE}, "CreatePipe of pipes"),
    ("scheduler", "create_schedule", {
        "Name": "s", "ScheduleExpression": "rate(1 minute)", "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": QUEUE, "RoleArn": ROLE},
    }, "CreateSchedule of scheduler"),
    ("lambda", "create_function_url_config", {"FunctionName": "f", "AuthType": "NONE"}, "CreateFunctionUrlConfig"),
    ("lambda", "put_provisioned_concurrency_config", {
        "FunctionName": "f", "Qualifier": "1", "ProvisionedConcurrentExecutions": 1,
    }, "PutProvisionedConcurrencyConfig"),
])  # fmt: skip
def test_what_is_not_there_is_refused_in_words(aws, service, operation, given, said):
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service), operation)(**given)
    answer = refused.value.response
    assert answer["Error"]["Code"] == "NotImplemented"
    assert said in answer["Error"]["Message"] and "\n" not in answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_refusal_of_iam_and_a_wrong_signature_can_be_read_too(aws):
    session = Session(aws)
    with pytest.raises(ClientError, match="is not authorized to perform: events:ListEventBuses") as refused:
        session.client("eventbridgev2").list_event_buses()
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    session.keys = Keys(session.keys.access_key, "x" * 40, session.keys.token)
    with pytest.raises(ClientError) as refused:
        session.client("eventbridgev2").list_event_buses()
    assert refused.value.response["Error"]["Code"] == "InvalidSignatureException"
