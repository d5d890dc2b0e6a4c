"""AWS IAM and STS: who may do what. Policies, what each request needs, and what a refusal says."""
