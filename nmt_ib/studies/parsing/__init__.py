"""How few bits of an encoder does a parser need?"""
