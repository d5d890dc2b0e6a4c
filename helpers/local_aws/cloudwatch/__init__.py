"""Amazon CloudWatch's metrics: those that services write about themselves, statistics, metric math, alarms."""
