"""Pictures that people upload: made small and harmless, stored, and ended when nothing shows
them."""
