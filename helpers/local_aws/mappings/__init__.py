"""Event source mappings: what reads queues and streams, and invokes functions with what it finds.

`service` keeps the mappings of an account and region beside its functions, and `api` answers requests about them. Each
has a poller (`sqs_poller`, `stream_poller`), which nobody waits for: it is woken by its source or by the time, begins
an invocation, and goes on when that has ended. All of one mapping's work is done in order, so a poller needs no lock.
"""
