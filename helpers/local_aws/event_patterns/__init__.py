"""EventBridge's event patterns: read, checked, compiled and matched."""
