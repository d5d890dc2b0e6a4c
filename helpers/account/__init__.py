"""What is in the account, whose it is, and how it is deleted again."""
