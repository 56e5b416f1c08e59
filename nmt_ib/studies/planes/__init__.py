"""Layers in the information plane."""
