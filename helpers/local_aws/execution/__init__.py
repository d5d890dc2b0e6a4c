"""Where functions run: execution environments, their worker processes and the Runtime API.

Also what speaks of functions without AWS Lambda's service: names, runtimes, invocations and errors.
"""
