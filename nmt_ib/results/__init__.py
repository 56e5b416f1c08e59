"""What a study returns: plain data, JSON both ways, no torch."""
