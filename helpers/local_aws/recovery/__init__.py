"""How the account outlives its server: what a call may change, snapshots, and how all of it comes back."""
