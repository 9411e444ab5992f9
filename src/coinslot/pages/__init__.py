"""What all customer pages share: layout, errors, security headers, texts, assets."""
