"""The command `twin`: each command imports what it needs when it is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from twin.cli.app import app
from twin.errors import TwinError

__all__ = ["app", "main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and leave with its exit code.

    Codes: 0 done; 1 a run failed or an expectation was not met; 2 bad input; 130 interrupted.
    Errors are one message; `--debug` anywhere on the line adds the traceback.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        app(words, prog_name="twin")
    except TwinError as error:
        _leave(str(error), 2, debug)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        sys.exit(1)
    except KeyboardInterrupt:
        _leave("interrupted", 130, debug)
    except OSError as error:
        _leave(f"{error.strerror or error}: {error.filename}" if error.filename else str(error), 2, debug)
    except Exception as error:
        _leave(f"internal error: {type(error).__name__}: {error} (--debug shows where)", 1, debug)


def _leave(message: str, code: int, debug: bool) -> None:
    """Print a message, or the exception being handled, and end the program."""
    if debug:
        import traceback

        traceback.print_exc()
    from twin.cli.console import say

    say(message if debug else f"twin: {message}", error=True)
    sys.exit(code)
