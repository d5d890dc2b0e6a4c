"""Amazon CloudWatch Logs: what functions print, written in batches and kept on disk."""
