"""What all pages share: layout, errors, security headers, texts, assets, and who may call a route
(access.py, cookies.py)."""
