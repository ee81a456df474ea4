"""The page over one shelf: rendered on the server, alive through two scripts, nothing from elsewhere."""
