"""AWS's schedule expressions: when `rate(...)` and `cron(...)` are due."""
