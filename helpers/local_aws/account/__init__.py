"""What the whole account shares: whose it is, its limits, ARNs, and one lock for each service."""
