"""The description of the API: /openapi.json with words, examples and codes."""
