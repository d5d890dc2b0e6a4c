"""Exercise 13-2: where a template wants a name, where an address, and where an ARN."""

from helpers.exercises import check

gaps = {
    "target": "!GetAtt Waiting.Arn",
    "queues": "!Ref Waiting",  # for a queue that is its URL
    "resource": "!GetAtt Waiting.Arn",
    "condition": "!GetAtt Late.Arn",
    "variable": "!Ref Waiting",
    "log group": '!Sub "/aws/lambda/${Caller}"',
}

check("13-2", gaps)
