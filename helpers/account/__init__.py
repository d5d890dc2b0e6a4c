"""Read what is in the account and whose it is, and delete it again."""
