"""The core of both conformance suites, through clients of another language: Microsoft's SDKs for JavaScript."""
