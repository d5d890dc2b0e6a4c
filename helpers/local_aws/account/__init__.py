"""What the whole account shares: whose it is, its limits, its clock, and one lock for each service."""
