"""What each layer keeps of each word."""
