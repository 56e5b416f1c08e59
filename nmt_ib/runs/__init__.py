"""Run directories: open or resume, lock, append, finish, load, render. One module for every study.

A run directory holds `run.json` (the signature), `sentences.jsonl` (one object a line of the input, where a study
works by sentences), `summary.json`, and what the reports make of them. A run that is killed is resumed by the same
command; it loses and repeats nothing.
"""
