"""Calls of the services that lessons use, or that learners are likely to: what nobody can make up from a model.

A text in angle brackets is the last value that an answer or a call had under that name, in small letters.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

Calls = list[tuple[str, dict[str, Any]]]

_ACCOUNT = "123456789012"


def _document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "s", "Effect": "Allow", **statement}]})


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", "def handler(event, context):\n    return event\n")
    return buffer.getvalue()


_TRUST = _document(
    Principal={"Service": "lambda.amazonaws.com", "AWS": f"arn:aws:iam::{_ACCOUNT}:root"}, Action="sts:AssumeRole"
)
_MAY_ALL = _document(Action=["s3:*", "sqs:*"], Resource="*")
_KEY = {"OrderId": {"S": "a"}}
_NAME = {"TableName": "orders"}
_STATES = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
_BUS = {"EventBusName": "shop"}
_FUNCTION = {"FunctionName": "function"}
_SECRET = {"SecretId": "secret"}
_OBJECT = {"Bucket": "bucket", "Key": "key"}
_LOCKED = {"Bucket": "locked", "Key": "key"}
_USER, _GROUP, _ROLE = {"UserName": "user"}, {"GroupName": "group"}, {"RoleName": "role"}
_OWN_POLICY = f"arn:aws:iam::{_ACCOUNT}:policy/own"
_STREAM = {"StreamName": "stream"}
_GROUP_OF_LOGS = {"logGroupName": "group"}

#: Of each service; what refers to another's comes after it.
BY_HAND: dict[str, Calls] = {
    "iam": [
        ("CreateUser", _USER),
        ("CreateGroup", _GROUP),
        ("AddUserToGroup", _USER | _GROUP),
        ("CreateRole", _ROLE | {"AssumeRolePolicyDocument": _TRUST}),
        ("CreatePolicy", {"PolicyName": "own", "PolicyDocument": _MAY_ALL}),
        ("CreatePolicyVersion", {"PolicyArn": _OWN_POLICY, "PolicyDocument": _MAY_ALL}),
        ("SetDefaultPolicyVersion", {"PolicyArn": _OWN_POLICY, "VersionId": "v2"}),
        ("TagPolicy", {"PolicyArn": _OWN_POLICY, "Tags": [{"Key": "a", "Value": "b"}]}),
        ("PutGroupPolicy", _GROUP | {"PolicyName": "inline", "PolicyDocument": _MAY_ALL}),
        ("PutRolePolicy", _ROLE | {"PolicyName": "inline", "PolicyDocument": _MAY_ALL}),
        ("PutUserPolicy", _USER | {"PolicyName": "inline", "PolicyDocument": _MAY_ALL}),
        ("AttachGroupPolicy", _GROUP | {"PolicyArn": _OWN_POLICY}),
        ("AttachRolePolicy", _ROLE | {"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
        ("AttachUserPolicy", _USER | {"PolicyArn": _OWN_POLICY}),
        ("PutRolePermissionsBoundary", _ROLE | {"PermissionsBoundary": _OWN_POLICY}),
        ("CreateServiceLinkedRole", {"AWSServiceName": "autoscaling.amazonaws.com", "Description": "a"}),
    ],
    "sts": [
        ("AssumeRole", {"RoleArn": f"arn:aws:iam::{_ACCOUNT}:role/role", "RoleSessionName": "session"}),
    ],
    "sqs": [
        ("CreateQueue", {"QueueName": "queue", "tags": {"a": "b"}}),
        ("CreateQueue", {"QueueName": "queue.fifo", "Attributes": {"FifoQueue": "true"}}),
        ("CreateQueue", {"QueueName": "other"}),
        ("AddPermission", {"QueueUrl": "<queueurl>", "Label": "l", "AWSAccountIds": [_ACCOUNT],
                           "Actions": ["SendMessage"]}),
        ("SendMessage", {"QueueUrl": "<queueurl>", "MessageBody": "body"}),
        ("ReceiveMessage", {"QueueUrl": "<queueurl>"}),
        ("ChangeMessageVisibility", {"QueueUrl": "<queueurl>", "ReceiptHandle": "<receipthandle>",
                                     "VisibilityTimeout": 500}),
    ],
    "s3": [
        ("CreateBucket", {"Bucket": "bucket"}),
        ("PutBucketVersioning", {"Bucket": "bucket", "VersioningConfiguration": {"Status": "Enabled"}}),
        ("PutObject", _OBJECT | {"Body": b"first"}),
        ("PutObject", _OBJECT | {"Body": b"second", "Metadata": {"a": "b"}}),
        ("PutObject", _OBJECT | {"Body": b"third"}),
        ("CopyObject", {"Bucket": "bucket", "Key": "copy", "CopySource": "bucket/key"}),
        ("PutObject", {"Bucket": "bucket", "Key": "gone", "Body": b"to be deleted"}),
        ("DeleteObject", {"Bucket": "bucket", "Key": "gone"}),
        ("CreateMultipartUpload", {"Bucket": "bucket", "Key": "parts"}),
        ("UploadPart", {"Bucket": "bucket", "Key": "parts", "UploadId": "<uploadid>", "PartNumber": 1, "Body": b"1"}),
        ("UploadPartCopy", {"Bucket": "bucket", "Key": "parts", "UploadId": "<uploadid>", "PartNumber": 2,
                            "CopySource": "bucket/key"}),
        ("CreateMultipartUpload", {"Bucket": "bucket", "Key": "whole"}),
        ("UploadPart", {"Bucket": "bucket", "Key": "whole", "UploadId": "<uploadid>", "PartNumber": 1, "Body": b"1"}),
        ("CompleteMultipartUpload", {"Bucket": "bucket", "Key": "whole", "UploadId": "<uploadid>",
                                     "MultipartUpload": {"Parts": [{"ETag": "<etag>", "PartNumber": 1}]}}),
        ("PutBucketLogging", {"Bucket": "bucket", "BucketLoggingStatus": {}}),
        ("PutBucketAcl", {"Bucket": "bucket", "ACL": "private"}),
        ("PutBucketCors", {"Bucket": "bucket", "CORSConfiguration": {
            "CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}}),
        ("PutBucketLifecycleConfiguration", {"Bucket": "bucket", "LifecycleConfiguration": {
            "Rules": [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "a"}, "Expiration": {"Days": 3}}]}}),
        ("PutBucketNotificationConfiguration", {"Bucket": "bucket", "NotificationConfiguration": {
            "QueueConfigurations": [{"QueueArn": f"arn:aws:sqs:us-east-1:{_ACCOUNT}:other",
                                     "Events": ["s3:ObjectCreated:*"]}]}}),
        ("CreateBucket", {"Bucket": "locked", "ObjectLockEnabledForBucket": True}),
        ("PutObjectLockConfiguration", {"Bucket": "locked", "ObjectLockConfiguration": {
            "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}}),
        ("PutObject", _LOCKED | {"Body": b"locked"}),
        ("PutObjectLegalHold", _LOCKED | {"LegalHold": {"Status": "ON"}}),
        ("PutObjectRetention", _LOCKED | {"Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": 1_900_000_000}}),
        ("PutObject", {"Bucket": "bucket", "Key": "cold", "Body": b"cold", "StorageClass": "GLACIER"}),
        ("RestoreObject", {"Bucket": "bucket", "Key": "cold", "RestoreRequest": {"Days": 1}}),
    ],
    "dynamodb": [
        (
            "CreateTable",
            _NAME
            | {
                "KeySchema": [{"AttributeName": "OrderId", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "OrderId", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            },
        ),
        ("PutItem", _NAME | {"Item": _KEY | {"Price": {"N": "2.50"}, "Blob": {"B": b"\x00"}}}),
        (
            "UpdateItem",
            _NAME | {"Key": _KEY, "UpdateExpression": "SET A = :a", "ExpressionAttributeValues": {":a": {"N": "1"}}},
        ),
        ("BatchWriteItem", {"RequestItems": {"orders": [{"PutRequest": {"Item": {"OrderId": {"S": "b"}}}}]}}),
        ("TransactWriteItems", {"TransactItems": [{"Put": _NAME | {"Item": {"OrderId": {"S": "c"}}}}]}),
        ("ExecuteStatement", {"Statement": "INSERT INTO orders VALUE {'OrderId': 'd'}"}),
        ("BatchExecuteStatement", {"Statements": [{"Statement": "INSERT INTO orders VALUE {'OrderId': 'e'}"}]}),
        ("ExecuteTransaction", {"TransactStatements": [{"Statement": "INSERT INTO orders VALUE {'OrderId': 'f'}"}]}),
        ("UpdateTimeToLive", _NAME | {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "Until"}}),
        (
            "UpdateContinuousBackups",
            _NAME | {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}},
        ),
        ("CreateBackup", _NAME | {"BackupName": "backup"}),
        ("PutItem", _NAME | {"Item": {"OrderId": {"S": "after the backup"}}}),
        ("RestoreTableFromBackup", {"TargetTableName": "from-backup", "BackupArn": "<backuparn>"}),
        (
            "RestoreTableToPointInTime",
            {"SourceTableName": "orders", "TargetTableName": "from-time", "UseLatestRestorableTime": True},
        ),
        ("PutResourcePolicy", {"ResourceArn": "<tablearn>", "Policy": _MAY_ALL}),
        ("TagResource", {"ResourceArn": "<tablearn>", "Tags": [{"Key": "a", "Value": "b"}]}),
        ("UpdateTable", _NAME | {"BillingMode": "PROVISIONED",
                                 "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}),
        ("ExportTableToPointInTime", {"TableArn": f"arn:aws:dynamodb:us-east-1:{_ACCOUNT}:table/orders",
                                      "S3Bucket": "bucket", "S3Prefix": "p"}),
        ("CreateTable", {
            "TableName": "second", "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST",
        }),
    ],
    "lambda": [
        (
            "CreateFunction",
            _FUNCTION
            | {
                "Runtime": "python3.13",
                "Role": f"arn:aws:iam::{_ACCOUNT}:role/role",
                "Handler": "main.handler",
                "Code": {"ZipFile": _zip()},
                "Tags": {"a": "b"},
            },
        ),
        ("PublishVersion", _FUNCTION),
        ("CreateAlias", _FUNCTION | {"Name": "live", "FunctionVersion": "1"}),
        ("UpdateAlias", _FUNCTION | {"Name": "live", "Description": "changed"}),
        (
            "AddPermission",
            _FUNCTION | {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"},
        ),
        ("PutFunctionConcurrency", _FUNCTION | {"ReservedConcurrentExecutions": 2}),
        ("PutFunctionEventInvokeConfig", _FUNCTION | {"MaximumRetryAttempts": 1}),
        ("UpdateFunctionEventInvokeConfig", _FUNCTION | {"MaximumEventAgeInSeconds": 100}),
        ("PutFunctionRecursionConfig", _FUNCTION | {"RecursiveLoop": "Allow"}),
        ("UpdateFunctionCode", _FUNCTION | {"ZipFile": _zip()}),
        ("UpdateFunctionConfiguration", _FUNCTION | {"Timeout": 7, "Environment": {"Variables": {"AB": "c"}}}),
        ("TagResource", {"Resource": f"arn:aws:lambda:us-east-1:{_ACCOUNT}:function:function", "Tags": {"c": "d"}}),
        (
            "CreateEventSourceMapping",
            _FUNCTION | {"EventSourceArn": f"arn:aws:sqs:us-east-1:{_ACCOUNT}:queue", "BatchSize": 1},
        ),
        ("Invoke", _FUNCTION | {"Payload": b"{}"}),
        ("InvokeAsync", _FUNCTION | {"InvokeArgs": b"{}"}),
        (
            "PublishLayerVersion",
            {"LayerName": "layer", "Content": {"ZipFile": _zip()}, "CompatibleRuntimes": ["python3.13"]},
        ),
    ],
    "events": [
        ("CreateEventBus", {"Name": "shop"}),
        ("PutPermission", _BUS | {"Action": "events:PutEvents", "Principal": _ACCOUNT, "StatementId": "s"}),
        ("PutRule", _BUS | {"Name": "rule", "EventPattern": json.dumps({"source": [{"prefix": "sh"}]})}),
        ("PutTargets", _BUS | {"Rule": "rule", "Targets": [{"Id": "t", "Arn": f"arn:aws:sqs:us-east-1:{_ACCOUNT}:q"}]}),
        ("DisableRule", _BUS | {"Name": "rule"}),
        ("EnableRule", _BUS | {"Name": "rule"}),
        ("TagResource", {"ResourceARN": "<rulearn>", "Tags": [{"Key": "a", "Value": "b"}]}),
        ("CreateArchive", {"ArchiveName": "archive", "EventSourceArn": "<eventbusarn>"}),
        ("UpdateArchive", {"ArchiveName": "archive", "RetentionDays": 3}),
        ("PutEvents", {"Entries": [_BUS | {"Source": "shop", "DetailType": "Order", "Detail": "{}"}]}),
        (
            "CreateConnection",
            {
                "Name": "connection",
                "AuthorizationType": "API_KEY",
                "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "n", "ApiKeyValue": "v"}},
            },
        ),
        (
            "CreateApiDestination",
            {
                "Name": "destination",
                "ConnectionArn": "<connectionarn>",
                "InvocationEndpoint": "https://example.com/a",
                "HttpMethod": "POST",
            },
        ),
        ("UpdateApiDestination", {"Name": "destination", "InvocationEndpoint": "https://example.com/b"}),
        ("UpdateConnection", {"Name": "connection", "Description": "changed"}),
        (
            "StartReplay",
            {
                "ReplayName": "replay",
                "EventSourceArn": "<archivearn>",
                "EventStartTime": 1,
                "EventEndTime": 2,
                "Destination": {"Arn": "<eventbusarn>"},
            },
        ),
    ],
    "sns": [
        ("CreateTopic", {"Name": "topic"}),
        ("AddPermission", {"TopicArn": "<topicarn>", "Label": "l", "AWSAccountId": [_ACCOUNT],
                           "ActionName": ["Publish"]}),
        ("Subscribe", {"TopicArn": "<topicarn>", "Protocol": "sqs",
                       "Endpoint": f"arn:aws:sqs:us-east-1:{_ACCOUNT}:other", "ReturnSubscriptionArn": True}),
        ("SetSubscriptionAttributes", {"SubscriptionArn": "<subscriptionarn>",
                                       "AttributeName": "RawMessageDelivery", "AttributeValue": "true"}),
        ("TagResource", {"ResourceArn": "<topicarn>", "Tags": [{"Key": "a", "Value": "b"}]}),
        ("Publish", {"TopicArn": "<topicarn>", "Message": "m"}),
    ],
    "kinesis": [
        ("CreateStream", {"StreamName": "logs", "ShardCount": 1}),
        ("CreateStream", _STREAM | {"ShardCount": 1}),
        ("PutRecord", _STREAM | {"Data": b"d", "PartitionKey": "p"}),
        ("PutRecords", _STREAM | {"Records": [{"Data": b"d", "PartitionKey": "p"}]}),
        ("IncreaseStreamRetentionPeriod", _STREAM | {"RetentionPeriodHours": 48}),
        ("DecreaseStreamRetentionPeriod", _STREAM | {"RetentionPeriodHours": 24}),
        ("SplitShard", _STREAM | {"ShardToSplit": "shardId-000000000000", "NewStartingHashKey": str(2**100)}),
        ("MergeShards", _STREAM | {"ShardToMerge": "shardId-000000000001",
                                   "AdjacentShardToMerge": "shardId-000000000002"}),
    ],
    "logs": [
        ("CreateLogGroup", _GROUP_OF_LOGS),
        ("CreateLogStream", _GROUP_OF_LOGS | {"logStreamName": "stream"}),
        ("PutLogEvents", _GROUP_OF_LOGS | {"logStreamName": "stream",
                                           "logEvents": [{"timestamp": "<now>", "message": "line"}]}),
        ("PutSubscriptionFilter", _GROUP_OF_LOGS | {
            "filterName": "f", "filterPattern": "",
            "destinationArn": f"arn:aws:lambda:us-east-1:{_ACCOUNT}:function:function"}),
        ("PutSubscriptionFilter", _GROUP_OF_LOGS | {
            "filterName": "g", "filterPattern": "",
            "destinationArn": f"arn:aws:kinesis:us-east-1:{_ACCOUNT}:stream/logs",
            "roleArn": f"arn:aws:iam::{_ACCOUNT}:role/role"}),
        ("PutLogEvents", _GROUP_OF_LOGS | {"logStreamName": "stream",
                                           "logEvents": [{"timestamp": "<now>", "message": "to a stream"}]}),
        ("StartQuery", _GROUP_OF_LOGS | {"startTime": 1, "endTime": 2, "queryString": "fields @message"}),
        ("CreateExportTask", _GROUP_OF_LOGS | {"fromTime": 1, "to": 2, "destination": "bucket"}),
    ],
    "cloudwatch": [
        ("PutMetricData", {"Namespace": "Shop", "MetricData": [{"MetricName": "Orders", "Value": 1}]}),
        ("PutDashboard", {"DashboardName": "dashboard", "DashboardBody": '{"widgets": []}'}),
        ("PutMetricAlarm", {
            "AlarmName": "alarm", "MetricName": "Errors", "Namespace": "AWS/Lambda", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum"}),
    ],
    "stepfunctions": [
        ("CreateStateMachine", {"name": "machine", "definition": _STATES, "publish": True,
                                "roleArn": f"arn:aws:iam::{_ACCOUNT}:role/role"}),
        ("CreateStateMachineAlias", {"name": "live", "routingConfiguration": [
            {"stateMachineVersionArn": "<statemachineversionarn>", "weight": 100}]}),
        ("UpdateStateMachineAlias", {"stateMachineAliasArn": "<statemachinealiasarn>", "description": "changed"}),
        ("StartExecution", {"stateMachineArn": "<statemachinearn>", "input": "{}"}),
    ],
    "ssm": [
        ("PutParameter", {"Name": "/shop/a", "Value": "1", "Type": "String"}),
        ("PutParameter", {"Name": "/shop/a", "Value": "2", "Type": "String", "Overwrite": True}),
        ("PutParameter", {"Name": "/shop/b", "Value": "c,d", "Type": "StringList"}),
        ("PutParameter", {"Name": "/shop/secret", "Value": "s", "Type": "SecureString"}),
        ("LabelParameterVersion", {"Name": "/shop/a", "ParameterVersion": 1, "Labels": ["old"]}),
        ("UnlabelParameterVersion", {"Name": "/shop/a", "ParameterVersion": 1, "Labels": ["none"]}),
        ("AddTagsToResource", {"ResourceType": "Parameter", "ResourceId": "/shop/a",
                               "Tags": [{"Key": "a", "Value": "b"}]}),
        ("CreateDocument", {"Name": "document", "DocumentType": "Command", "DocumentFormat": "JSON",
                            "Content": json.dumps({"schemaVersion": "2.2", "description": "a", "parameters": {},
                                                   "mainSteps": []})}),
        ("UpdateDocument", {"Name": "document", "DocumentVersion": "$LATEST", "DocumentFormat": "JSON",
                            "Content": json.dumps({"schemaVersion": "2.2", "description": "b", "parameters": {},
                                                   "mainSteps": []})}),
        ("UpdateDocumentDefaultVersion", {"Name": "document", "DocumentVersion": "2"}),
        ("ModifyDocumentPermission", {"Name": "document", "PermissionType": "Share", "AccountIdsToAdd": [_ACCOUNT]}),
    ],
    "kms": [
        ("CreateKey", {"Description": "signs", "KeyUsage": "SIGN_VERIFY", "KeySpec": "RSA_2048"}),
        ("Sign", {"KeyId": "<keyid>", "Message": b"m", "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}),
        ("CreateKey", {"Description": "signs, too", "KeyUsage": "SIGN_VERIFY", "KeySpec": "ECC_NIST_P256"}),
        ("CreateKey", {"KeyUsage": "GENERATE_VERIFY_MAC", "KeySpec": "HMAC_256"}),
        ("GenerateMac", {"KeyId": "<keyid>", "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}),
        ("CreateKey", {"MultiRegion": True}),
        ("CreateAlias", {"AliasName": "alias/key", "TargetKeyId": "<keyid>"}),
        ("UpdateAlias", {"AliasName": "alias/key", "TargetKeyId": "<keyid>"}),
        ("Encrypt", {"KeyId": "<keyid>", "Plaintext": b"p"}),
        ("GenerateDataKey", {"KeyId": "<keyid>", "KeySpec": "AES_256"}),
        ("GenerateDataKeyWithoutPlaintext", {"KeyId": "<keyid>", "KeySpec": "AES_256"}),
        ("EnableKeyRotation", {"KeyId": "<keyid>"}),
    ],
    "secretsmanager": [
        ("CreateSecret", {"Name": "secret", "SecretString": "s"}),
        ("PutSecretValue", _SECRET | {"SecretString": "t"}),
        ("PutResourcePolicy", _SECRET | {"ResourcePolicy": _document(Principal="*", Action="secretsmanager:*",
                                                                     Resource="*")}),
        ("UpdateSecret", _SECRET | {"Description": "changed"}),
        ("TagResource", _SECRET | {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("ReplicateSecretToRegions", _SECRET | {"AddReplicaRegions": [{"Region": "eu-west-1"}]}),
        ("CreateSecret", {"Name": "second", "SecretBinary": b"\x00"}),
        ("DeleteSecret", {"SecretId": "second"}),
        ("RestoreSecret", {"SecretId": "second"}),
    ],
    "acm": [
        ("RequestCertificate", {"DomainName": "example.com", "SubjectAlternativeNames": ["www.example.com"]}),
    ],
}  # fmt: skip
