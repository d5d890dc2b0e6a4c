"""Exercise 11-2: one statement for each call, because a statement allows all its actions on all its resources."""

from helpers.exercises import check

tables = "arn:aws:dynamodb:us-east-1:123456789012:table/"
narrowed = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": f"{tables}orders"},
        {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": f"{tables}orders/index/by-item"},
        {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": f"{tables}report-*"},
    ],
}

check("11-2", narrowed)
