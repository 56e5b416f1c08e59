"""What each source word is worth: one method, one file; models are seen through their protocols only."""
