"""An AWS account in a process of its own, on this machine: moto's services, and what they lack made real.

`lifecycle` starts, finds and stops it; `server` is the process, `services` the account without it, of which everything
else is a part. It knows nothing of notebooks. From the top down; a package imports those below it alone:

    seams                    every place of moto's that is changed
    recovery                 how the account outlives its server
    cloudformation           stacks
    events, event_patterns   EventBridge: buses, rules, delivery, archives
    awslambda                functions and their invocations
    logs, sqs, dynamodb, s3  what moto's services lack
    iam                      who may do what; STS
    execution                where functions run: workers and their Runtime API
    cloudwatch               metrics and alarms
    http                     from a connection to an answer
    account                  what the whole account shares
    storage                  the account on disk
    engine                   time and work: the clock, and what runs in the background

A package that is a service's has the name that boto3 has for it; `awslambda` is moto's.
"""
