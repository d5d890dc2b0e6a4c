"""Exercise 06-3: members' express orders from an amount on, chosen by DynamoDB, and what the question costs."""

from helpers.exercises import check


def express_for_members(dynamodb, least):
    """OrderIds of members' express orders of at least this amount (a Decimal), and the units it took."""
    pages = dynamodb.get_paginator("scan").paginate(
        TableName="sample-table",
        FilterExpression="IsMember = :yes AND ShippingMethod = :express AND Amount >= :least",
        ExpressionAttributeValues={":yes": {"BOOL": True}, ":express": {"S": "Express"}, ":least": {"N": str(least)}},
        ReturnConsumedCapacity="TOTAL",
    )
    order_ids, units = [], 0
    for page in pages:
        order_ids += [order["OrderId"]["S"] for order in page["Items"]]
        units += page["ConsumedCapacity"]["CapacityUnits"]  # a page without a match has its price, too
    return order_ids, units


check("06-3", express_for_members)
