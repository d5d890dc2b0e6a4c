"""The account's memory on disk: rows in one SQLite file, and the journal that every part of the account tells."""
