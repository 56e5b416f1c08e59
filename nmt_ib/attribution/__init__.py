"""Attribution methods, one per file; they access models through protocols only."""
