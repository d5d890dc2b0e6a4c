"""Exercise 11-1: what three statements say about six calls."""

from helpers.exercises import check

prediction = {
    "PutItem on orders": "allowed",
    "PutItem on orders in eu-west-1": "implicit deny",  # the region is part of the ARN
    "Scan on orders": "implicit deny",  # orders/* is what lies below the table
    "Query on orders/index/by-item": "allowed",
    "DeleteItem on orders": "explicit deny",  # a deny wins over the allow of *Item
    "DeleteTable on drafts": "explicit deny",  # nobody has allowed it either, but a deny is found first
}

check("11-1", prediction)
