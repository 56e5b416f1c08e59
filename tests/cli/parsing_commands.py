"""Arguments and answers that the tests of `compress`, `parse` and `benchmark parsing` share."""

QUICK = ("--dim", 4, "--epochs", 2, "--batch-size", 4, "--layer", 2)


def refused(answer):
    """The one line that says why a request was refused."""
    status, printed, errors = answer
    assert (status, printed) == (2, "")
    assert errors.startswith("nmt-ib: ")
    assert errors.count("\n") == 1
    return errors
