"""AWS Lambda: functions, the requests about them, and their invocations, asynchronous ones too.

Named as in moto, since `lambda` is a word of Python's.
"""
