"""Calls of AWS as the lessons make them, each with most of the texts that it takes."""

from __future__ import annotations

import json
from typing import Any

from tests.support.embedded_aws import LAMBDA_TRUST, table_request, zip_of

ROLE = "arn:aws:iam::123456789012:role/role"
RULE = "arn:aws:events:us-east-1:123456789012:rule/rule"
ENTRY = {
    "Source": "shop",
    "DetailType": "order",
    "Detail": '{"body": "x"}',
    "EventBusName": "default",
    "Resources": ["r"],
}
ITEM = {"OrderId": {"S": "A-1"}, "Note": {"S": "x"}, "More": {"M": {"name": {"L": [{"S": "x"}]}}}, "Set": {"SS": ["a"]}}
KEY = {"OrderId": {"S": "A-1"}}
CONDITION = {
    "TableName": "odd-orders",
    "Key": KEY,
    "UpdateExpression": "SET #n = :v",
    "ConditionExpression": "#n <> :v",
    "ExpressionAttributeNames": {"#n": "Note"},
    "ExpressionAttributeValues": {":v": {"S": "x"}},
}
METRIC = {
    "Namespace": "Shop",
    "MetricName": "Orders",
    "Dimensions": [{"Name": "d", "Value": "v"}],
    "Period": 60,
    "Statistics": ["Sum"],
    "StartTime": 0,
    "EndTime": 3600,
}
QUEUE = "http://sqs.us-east-1.amazonaws.com/123456789012/odd"

#: Parameters whose names are the caller's own.
MAPS = {
    "Item",
    "M",
    "Variables",
    "Tags",
    "tags",
    "MessageAttributes",
    "Metadata",
    "ExpressionAttributeValues",
    "Attributes",
}

#: Operations as the lessons call them: service, operation, parameters.
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("events", "put_events", {"Entries": [ENTRY]}),
    (
        "events",
        "put_rule",
        {"Name": "rule", "EventPattern": '{"source": ["x"]}', "Description": "d", "Tags": [{"Key": "k", "Value": "v"}]},
    ),
    ("events", "put_targets", {"Rule": "rule", "Targets": [{"Id": "1", "Arn": f"{ROLE}", "InputPath": "$.detail"}]}),
    ("events", "list_rules", {"NamePrefix": "x", "EventBusName": "default"}),
    ("events", "describe_rule", {"Name": "rule"}),
    ("events", "list_targets_by_rule", {"Rule": "rule"}),
    ("events", "remove_targets", {"Rule": "rule", "Ids": ["1"]}),
    ("events", "disable_rule", {"Name": "rule"}),
    ("events", "delete_rule", {"Name": "rule"}),
    ("events", "create_event_bus", {"Name": "bus"}),
    (
        "events",
        "create_archive",
        {
            "ArchiveName": "archive",
            "EventSourceArn": "arn:aws:events:us-east-1:123456789012:event-bus/default",
            "EventPattern": '{"source": ["x"]}',
        },
    ),
    ("events", "describe_archive", {"ArchiveName": "archive"}),
    (
        "events",
        "start_replay",
        {
            "ReplayName": "replay",
            "EventSourceArn": "arn:aws:events:us-east-1:123456789012:archive/none",
            "EventStartTime": 0,
            "EventEndTime": 1,
            "Destination": {"Arn": "arn:aws:events:us-east-1:123456789012:event-bus/default"},
        },
    ),
    (
        "events",
        "test_event_pattern",
        {
            "EventPattern": '{"source": ["x"]}',
            "Event": json.dumps(
                {
                    "id": "1",
                    "account": "1",
                    "source": "x",
                    "time": "2026-01-01T00:00:00Z",
                    "region": "r",
                    "resources": [],
                    "detail-type": "t",
                    "detail": {},
                }
            ),
        },
    ),
    ("dynamodb", "create_table", table_request("odd")),
    ("dynamodb", "describe_table", {"TableName": "odd-orders"}),
    ("dynamodb", "put_item", {"TableName": "odd-orders", "Item": ITEM}),
    ("dynamodb", "get_item", {"TableName": "odd-orders", "Key": KEY, "ProjectionExpression": "Note"}),
    ("dynamodb", "update_item", CONDITION),
    ("dynamodb", "delete_item", {"TableName": "odd-orders", "Key": KEY}),
    (
        "dynamodb",
        "scan",
        {"TableName": "odd-orders", "FilterExpression": "Note = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}},
    ),
    (
        "dynamodb",
        "query",
        {
            "TableName": "odd-orders",
            "KeyConditionExpression": "OrderId = :v",
            "ExpressionAttributeValues": {":v": {"S": "x"}},
        },
    ),
    ("dynamodb", "batch_write_item", {"RequestItems": {"odd-orders": [{"PutRequest": {"Item": ITEM}}]}}),
    (
        "dynamodb",
        "transact_write_items",
        {"TransactItems": [{"Put": {"TableName": "odd-orders", "Item": ITEM}}], "ClientRequestToken": "token"},
    ),
    ("dynamodb", "execute_statement", {"Statement": "SELECT * FROM \"odd-orders\" WHERE OrderId = 'x'"}),
    (
        "lambda",
        "create_function",
        {
            "FunctionName": "odd",
            "Runtime": "python3.13",
            "Role": ROLE,
            "Handler": "main.handler",
            "Description": "d",
            "Code": {"ZipFile": zip_of({"main.py": ""})},
            "Environment": {"Variables": {"NAME": "value"}},
            "Tags": {"k": "v"},
        },
    ),
    (
        "lambda",
        "update_function_configuration",
        {"FunctionName": "none", "Handler": "main.handler", "Environment": {"Variables": {"NAME": "value"}}},
    ),
    (
        "lambda",
        "add_permission",
        {
            "FunctionName": "none",
            "StatementId": "s",
            "Action": "lambda:InvokeFunction",
            "Principal": "events.amazonaws.com",
            "SourceArn": RULE,
        },
    ),
    ("lambda", "get_function", {"FunctionName": "none"}),
    ("lambda", "invoke", {"FunctionName": "none", "Payload": "{}", "Qualifier": "1"}),
    (
        "lambda",
        "put_function_event_invoke_config",
        {"FunctionName": "none", "DestinationConfig": {"OnFailure": {"Destination": QUEUE}}},
    ),
    ("sqs", "create_queue", {"QueueName": "odd-new", "Attributes": {"VisibilityTimeout": "1"}, "tags": {"k": "v"}}),
    ("sqs", "get_queue_url", {"QueueName": "odd"}),
    (
        "sqs",
        "send_message",
        {"QueueUrl": QUEUE, "MessageBody": "x", "MessageAttributes": {"a": {"DataType": "String", "StringValue": "x"}}},
    ),
    ("sqs", "send_message_batch", {"QueueUrl": QUEUE, "Entries": [{"Id": "1", "MessageBody": "x"}]}),
    ("sqs", "receive_message", {"QueueUrl": QUEUE, "AttributeNames": ["All"], "MessageAttributeNames": ["a"]}),
    ("sqs", "delete_message", {"QueueUrl": QUEUE, "ReceiptHandle": "x"}),
    ("sqs", "set_queue_attributes", {"QueueUrl": QUEUE, "Attributes": {"Policy": "{}"}}),
    ("logs", "create_log_group", {"logGroupName": "odd", "tags": {"k": "v"}}),
    ("logs", "create_log_stream", {"logGroupName": "odd-group", "logStreamName": "odd"}),
    (
        "logs",
        "put_log_events",
        {"logGroupName": "odd-group", "logStreamName": "stream", "logEvents": [{"timestamp": 1, "message": "x"}]},
    ),
    ("logs", "filter_log_events", {"logGroupName": "odd-group", "filterPattern": "x", "logStreamNames": ["stream"]}),
    ("logs", "describe_log_groups", {"logGroupNamePrefix": "x"}),
    ("logs", "get_log_events", {"logGroupName": "odd-group", "logStreamName": "stream"}),
    (
        "cloudwatch",
        "put_metric_data",
        {
            "Namespace": "Shop",
            "MetricData": [
                {"MetricName": "m", "Value": 1.0, "Unit": "Count", "Dimensions": [{"Name": "d", "Value": "v"}]}
            ],
        },
    ),
    ("cloudwatch", "get_metric_statistics", METRIC),
    (
        "cloudwatch",
        "put_metric_alarm",
        {
            "AlarmName": "odd",
            "Namespace": "Shop",
            "MetricName": "m",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmDescription": "d",
        },
    ),
    ("cloudwatch", "describe_alarms", {"AlarmNames": ["odd"]}),
    (
        "iam",
        "create_role",
        {
            "RoleName": "odd",
            "AssumeRolePolicyDocument": json.dumps(LAMBDA_TRUST),
            "Description": "d",
            "Tags": [{"Key": "k", "Value": "v"}],
        },
    ),
    (
        "iam",
        "put_role_policy",
        {
            "RoleName": "odd",
            "PolicyName": "p",
            "PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": []}),
        },
    ),
    ("iam", "get_role", {"RoleName": "odd"}),
    ("iam", "attach_role_policy", {"RoleName": "odd", "PolicyArn": "arn:aws:iam::aws:policy/AWSLambda_FullAccess"}),
    (
        "iam",
        "simulate_principal_policy",
        {"PolicySourceArn": ROLE, "ActionNames": ["s3:GetObject"], "ResourceArns": ["*"]},
    ),
    ("sts", "assume_role", {"RoleArn": ROLE, "RoleSessionName": "session"}),
    ("cloudformation", "validate_template", {"TemplateBody": "Resources: {}"}),
    (
        "cloudformation",
        "create_stack",
        {
            "StackName": "odd",
            "TemplateBody": "Resources: {}",
            "Parameters": [{"ParameterKey": "k", "ParameterValue": "v"}],
        },
    ),
    ("cloudformation", "describe_stacks", {"StackName": "odd"}),
    ("s3", "create_bucket", {"Bucket": "odd-bucket"}),
    (
        "s3",
        "put_object",
        {"Bucket": "odd-there", "Key": "key", "Body": b"x", "Metadata": {"k": "v"}, "ContentType": "text/plain"},
    ),
    ("s3", "get_object", {"Bucket": "odd-there", "Key": "key"}),
    ("s3", "list_objects_v2", {"Bucket": "odd-there", "Prefix": "x", "Delimiter": "/"}),
    ("sns", "create_topic", {"Name": "odd"}),
    ("sns", "publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:none", "Message": "x", "Subject": "s"}),
    ("resourcegroupstaggingapi", "get_resources", {"TagFilters": [{"Key": "k", "Values": ["v"]}]}),
]
