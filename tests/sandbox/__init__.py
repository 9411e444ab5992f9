"""The sandbox itself: the official SDK and a real receiver of webhooks are the judges."""
