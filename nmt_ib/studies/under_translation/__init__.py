"""Which source words did a translation leave out, and where were they lost?"""
