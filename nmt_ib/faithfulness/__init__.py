"""Evaluation of attributions: faithfulness by removal, randomization, word alignments, rankings."""
