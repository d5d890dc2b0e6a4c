"""The account inside of the caller's own interpreter: what is changed there for as long as it is open, and put back."""
