"""The `zhian` commands, one module a topic; each has `register(app)` and imports what is heavy inside its commands."""
