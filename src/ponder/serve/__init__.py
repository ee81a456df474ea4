"""The HTTP API and the page over one shelf."""
