"""Exercise 10-2: an input transformer that makes the old event out of the new one."""

from helpers.exercises import check

transformer = {
    "InputPathsMap": {
        "id": "$.detail.order.id",
        "item": "$.detail.order.item",
        "price": "$.detail.order.price",
        "shipping": "$.detail.order.shipping",
    },
    "InputTemplate": """{"detail": {"body": {
        "OrderId": <id>, "Item": <item>, "Amount": <price>, "ShippingMethod": <shipping>
    }}}""",
}

check("10-2", transformer)
