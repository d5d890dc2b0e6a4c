"""Makes what a teacher hands out, and grades what comes back."""
