"""Is a measure true to what it claims to measure?"""
