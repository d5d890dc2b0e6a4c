"""Make what a teacher hands out, and grade what comes back."""
