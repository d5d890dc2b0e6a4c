"""Mappings where there are no threads and no processes: a queue and a stream feed a function that really runs."""

from __future__ import annotations

from tests.local_aws.test_in_process import run

SOURCE = """
def handler(event, context):
    for record in event["Records"]:
        print("has", record.get("body") or record["dynamodb"]["Keys"]["Id"]["S"])
        if record.get("body") == "poison":
            raise ValueError("as asked")
"""


def test_a_queue_and_a_stream_feed_a_function_in_one_thread():
    """Minutes of visibility pass at once; what fails twice is in the dead-letter queue, and the rest is done."""
    program = """
        import json, sys
        from tests.support import bare_python
        bare_python.forbid_threads()
        from helpers.local_aws import in_process
        from helpers.local_aws.engine.clock import QuickClock
        from tests.support.embedded_aws import LAMBDA_TRUST, table_request, zip_of
        with in_process(clock=QuickClock()) as account:
            import boto3, time
            iam, sqs, lambda_, dynamodb = map(boto3.client, ("iam", "sqs", "lambda", "dynamodb"))
            role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]["Arn"]
            for name in ("SQSQueue", "DynamoDB"):
                policy = f"arn:aws:iam::aws:policy/service-role/AWSLambda{name}ExecutionRole"
                iam.attach_role_policy(RoleName="role", PolicyArn=policy)
            lambda_.create_function(FunctionName="f", Runtime="python3.13", Role=role, Handler="main.handler",
                                    Code={"ZipFile": zip_of({"main.py": sys.argv[1]})})
            arn = "arn:aws:sqs:us-east-1:123456789012:"
            dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
            redrive = json.dumps({"deadLetterTargetArn": arn + "dead", "maxReceiveCount": 2})
            url = sqs.create_queue(QueueName="queue", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
            stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
            dynamodb.create_table(**table_request("things", {"Id": "S"}, StreamSpecification=stream))
            stream = dynamodb.describe_table(TableName="things")["Table"]["LatestStreamArn"]
            lambda_.create_event_source_mapping(EventSourceArn=arn + "queue", FunctionName="f", BatchSize=1)
            lambda_.create_event_source_mapping(EventSourceArn=stream, FunctionName="f", StartingPosition="LATEST")
            for body in ("one", "poison", "two"):
                sqs.send_message(QueueUrl=url, MessageBody=body)
            dynamodb.put_item(TableName="things", Item={"Id": {"S": "three"}})
            time.sleep(120)
            events = boto3.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]
            said = sorted(event["message"].strip() for event in events if event["message"].startswith("has"))
            (message,) = sqs.receive_message(QueueUrl=dead)["Messages"]
            counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            result = [said, message["Body"], counts["ApproximateNumberOfMessagesNotVisible"]]
    """
    found = run(program, SOURCE)
    assert found == [["has one", "has poison", "has poison", "has three", "has two"], "poison", "0"]
