"""Feature networks: frozen networks of others, in whose features pictures and clips are compared."""
