"""The addresses of OAuth 2, of the app gallery, and of what patients have connected."""
