"""The HTTP server: messages in, outcomes out, status pages."""
