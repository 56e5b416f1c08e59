"""Errors that say what was given, what was expected and what to do next."""


class RequestError(ValueError):
    """The request was wrong: the command line shows this message as one line and exits with 2."""


class WorkError(RuntimeError):
    """The request was right but the work failed: the command line shows one line and exits with 1."""
