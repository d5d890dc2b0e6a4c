"""Exercise 12-2: what Lambda charges for one invocation: its billed time in GB-seconds, and the request."""

from helpers.exercises import check


def price_of(line):
    """USD that Lambda charges for the invocation with this REPORT line."""
    fields = dict(field.split(": ", 1) for field in line.removeprefix("REPORT ").strip().split("\t"))
    seconds = float(fields["Billed Duration"].split()[0]) / 1000
    gigabytes = float(fields["Memory Size"].split()[0]) / 1024
    return seconds * gigabytes * 16.6667 / 1e6 + 0.20 / 1e6


check("12-2", price_of)
