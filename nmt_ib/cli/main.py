"""`nmt-ib`: the list of commands, and what becomes of an error."""

import sys

import typer
from typer.exceptions import Abort, TyperException

from nmt_ib.cli import attribute, benchmark, compress, curve, diagnose, parse, plane, render, retain
from nmt_ib.cli.terminal import err, quiet_libraries
from nmt_ib.errors import RequestError

STOPPED = "interrupted; with --out, rerun the same command to resume"
INTERRUPTED = 130  # also what typer 0.29 returns for Ctrl-C

app = typer.Typer(
    help="Information, in bits, inside translation and language models.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(epilog=diagnose.EXAMPLE)(diagnose.diagnose)
app.command(epilog=render.EXAMPLE)(render.render)
app.command(epilog=retain.EXAMPLE)(retain.retain)
app.command(epilog=attribute.EXAMPLE)(attribute.attribute)
app.command(epilog=compress.EXAMPLE)(compress.compress)
app.command(epilog=parse.EXAMPLE)(parse.parse)
app.command(epilog=curve.EXAMPLE)(curve.curve)
app.command(epilog=plane.EXAMPLE)(plane.plane)
app.add_typer(benchmark.app, name="benchmark")


def main(arguments: list[str] | None = None) -> None:
    """Runs one command and exits: 0 done, 1 the work failed, 2 the request was wrong, 130 interrupted.

    Args:
        arguments: What follows `nmt-ib`; None: the process's own.

    Raises:
        SystemExit: Always.
    """
    quiet_libraries()
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(_status(arguments) if arguments else _status(["--help"]) or 2)


def _status(arguments: list[str]) -> int:
    try:
        status = app(args=arguments, prog_name="nmt-ib", standalone_mode=False) or 0
        return _fail(STOPPED, INTERRUPTED) if status == INTERRUPTED else status
    except TyperException as error:  # a wrong option or argument
        message = error.format_message().replace("Value error, ", "")  # pydantic's prefix of a wrong choice
        return _fail(f"{message} (see nmt-ib --help)", 2)
    except RequestError as error:
        return _fail(str(error), 2)
    except (Abort, KeyboardInterrupt):
        return _fail(STOPPED, INTERRUPTED)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        sys.stderr.close()
        return 1
    except (OSError, MemoryError, RuntimeError) as error:  # RuntimeError: torch out of memory
        return _fail(str(error) or type(error).__name__, 1)


def _fail(message: str, status: int) -> int:
    err.print(f"nmt-ib: {' '.join(message.split())}", soft_wrap=True)
    return status
