"""CloudWatch Logs' filter patterns: which log events a text such as `{ $.outcome = "invalid" }` means."""
