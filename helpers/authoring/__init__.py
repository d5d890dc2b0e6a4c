"""Execute lessons in accounts of their own and store what comes out: for authors and tests."""
