"""Errors that say what was given, what was expected and what to do next."""


class RequestError(ValueError):
    """The request was wrong: the command line shows this message as one line and exits with 2."""
