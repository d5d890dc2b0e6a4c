"""Carry over SQS's queues and SNS's topics with their settings. What waits in a queue stays where it is."""

from __future__ import annotations

from typing import Any

from .container import Reader, Writer
from .parties import Account, chosen, tag_list, tags

_COUNTS = (
    "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
)  # fmt: skip
_NO_SETTINGS = {*_COUNTS, "CreatedTimestamp", "LastModifiedTimestamp", "QueueArn"}
#: Set when all queues are there: they name others.
_LATER = ("RedrivePolicy", "RedriveAllowPolicy")
_OF_TOPICS = ("DisplayName", "Policy", "DeliveryPolicy", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication")
_OF_SUBSCRIPTIONS = (
    "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy",
)  # fmt: skip


def take(account: Account, file: Writer) -> None:
    sqs, found = account("sqs"), []
    for url in sorted(account.pages("sqs", "list_queues", "QueueUrls")):
        name = url.rpartition("/")[2]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        waiting = sum(int(attributes.get(each, 0)) for each in _COUNTS)
        if waiting:
            account.left(f"{waiting} message{'s' * (waiting > 1)} in the queue {name}")
        if not account.in_stack("AWS::SQS::Queue", url):
            settings = {key: value for key, value in attributes.items() if key not in _NO_SETTINGS and value != ""}
            found.append(
                {"QueueName": name, "Attributes": settings, "Tags": tags(sqs.list_queue_tags(QueueUrl=url).get("Tags"))}
            )
    file.put("queues.json", found)
    account.count("queues", len(found))


def bring(account: Account, file: Reader) -> None:
    sqs, made = account("sqs"), []
    for queue in file.get("queues.json", []):
        name = queue["QueueName"]
        if account.there(sqs.get_queue_url, QueueName=name) is not None:
            account.found(f"the queue {name}")
            continue
        first = {key: value for key, value in queue["Attributes"].items() if key not in _LATER}
        if account.attempt(
            f"the queue {name}",
            sqs.create_queue,
            QueueName=name,
            Attributes=first,
            tags=queue["Tags"],
        ):
            made.append(queue)
    account.count("queues", len(made))
    for queue in made:
        later = chosen(queue["Attributes"], *_LATER)
        if later:
            url = sqs.get_queue_url(QueueName=queue["QueueName"])["QueueUrl"]
            account.attempt(
                f"the dead-letter queue of {queue['QueueName']}",
                sqs.set_queue_attributes,
                QueueUrl=url,
                Attributes=later,
            )


def take_topics(account: Account, file: Writer) -> None:
    found = [_topic(account, each["TopicArn"]) for each in account.pages("sns", "list_topics", "Topics")]
    found.sort(key=lambda each: str(each["Name"]))
    file.put("topics.json", found)
    account.count("topics", len(found))


def _topic(account: Account, arn: str) -> dict[str, Any]:
    sns = account("sns")
    subscriptions = []
    for each in account.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn):
        if each["SubscriptionArn"].startswith("arn:"):
            attributes = sns.get_subscription_attributes(SubscriptionArn=each["SubscriptionArn"])["Attributes"]
            subscriptions.append(
                chosen(each, "Protocol", "Endpoint") | {"Attributes": chosen(attributes, *_OF_SUBSCRIPTIONS)}
            )
    subscriptions.sort(key=lambda each: (str(each["Protocol"]), str(each["Endpoint"])))
    return {
        "Name": arn.rpartition(":")[2],
        "Attributes": chosen(sns.get_topic_attributes(TopicArn=arn)["Attributes"], *_OF_TOPICS),
        "Tags": tags(sns.list_tags_for_resource(ResourceArn=arn).get("Tags")),
        "Subscriptions": subscriptions,
    }


def bring_topics(account: Account, file: Reader) -> None:
    sns = account("sns")
    for topic in file.get("topics.json", []):
        arn = f"arn:aws:sns:{account.access.region}:{account.access.account_id}:{topic['Name']}"
        if account.there(sns.get_topic_attributes, TopicArn=arn) is not None:
            account.found(f"the topic {topic['Name']}")
            continue
        if account.attempt(f"the topic {topic['Name']}", _bring_topic, sns, topic):
            account.count("topics")
        for each in topic["Subscriptions"]:
            account.attempt(
                f"the subscription of {each['Endpoint']} to {topic['Name']}",
                sns.subscribe,
                TopicArn=arn,
                ReturnSubscriptionArn=True,
                **each,
            )


def _bring_topic(sns: Any, topic: dict[str, Any]) -> None:
    sns.create_topic(Name=topic["Name"], Attributes=topic["Attributes"], Tags=tag_list(topic["Tags"]))
