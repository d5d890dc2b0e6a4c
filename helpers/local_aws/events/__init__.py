"""Amazon EventBridge: buses, rules and targets, and the delivery of events; archives and replays."""
