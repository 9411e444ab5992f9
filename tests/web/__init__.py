"""The pages, the API and the webhooks over HTTP."""
