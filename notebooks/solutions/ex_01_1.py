"""Exercise 01-1: trust decides whether a function can be created, permissions what it gets done."""

from helpers.exercises import check

prediction = {
    "A": ["created", "stores"],  # full access to DynamoDB, and not one action of CloudWatch Logs
    "B": [],  # Lambda cannot assume it, whatever it may do
    "C": ["created", "logs"],
    "D": ["created"],
}

check("01-1", prediction)
