"""Executes lessons in accounts of their own and stores what comes out: for authors and tests."""
