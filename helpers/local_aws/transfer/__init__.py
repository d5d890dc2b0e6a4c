"""The account in a file, and a file in an account: how work outlives an upgrade that cannot open what is on disk.

All goes through the account's own APIs, as its administrator. From the top down; each imports those below it alone:

    older                                    an account of another version, opened in a copy
    command                                  export and import as a whole
    stacks, functions, buses, tables, queues,
    iam, others                              what each service's part of the file is
    parties                                  the account on either side, and what is said to the user
    container                                the file

The file is a ZIP, format 1:

- `manifest.json`: {"format": 1, "moto": version}.
- `NAME.json` (iam, queues, topics, tables, log_groups, functions, buses, alarms, stacks): a list or an object of what
  there is, with the names of the parameters of AWS's own operations. Sorted, and without times and made-up ids, so that
  the same account gives the same text.
- `items/TABLE.jsonl`, `items/STACK/LOGICAL_ID.jsonl`: one item a line, in DynamoDB's own JSON; bytes are in base64.
- `code/FUNCTION/VERSION.zip`: what was deployed.

It has the environment variables of functions in it, secrets too: only its user can read it.
"""
