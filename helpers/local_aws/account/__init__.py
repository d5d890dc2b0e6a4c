"""What the whole account shares: whose it is, its limits, its clock, ARNs, and one lock for each service."""
