"""The command line: import, simulate and look after datasets, and one command for each registered study."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from commands import datasets, factors, files, labelings, papers, views
from commands.lazy import group_of
from commands.output import DEFAULT_DB, Asked, say
from commands.studies import exports_later, studies_later
from errors import JurylensError

app = typer.Typer(
    cls=group_of({"report": papers.REPORT, **studies_later()}),
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="Jurylens compares human and model preferences: whom each judge prefers, why, and where they part.",
)  # fmt: skip
export_app = typer.Typer(
    cls=group_of(exports_later()), no_args_is_help=True, rich_markup_mode=None,
    help="The bundle of a study for a paper: figures, tables, caption, sources, and what lets anyone replay it.",
)  # fmt: skip


@app.callback()
def main(
    db: Annotated[
        Path | None, typer.Option("--db", help=f"the store; default $JURYLENS_DB, else {DEFAULT_DB}")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="show tracebacks")] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="change nothing, whatever is asked; also JURYLENS_READ_ONLY=1")
    ] = False,
) -> None:
    Asked.read_only = read_only or None
    Asked.db = db or Path(os.environ.get("JURYLENS_DB") or DEFAULT_DB)
    Asked.debug = debug


files.add_to(app)
app.command()(papers.replay)
app.add_typer(datasets.app, name="datasets", cls=group_of(studies_later("datasets")))
app.add_typer(factors.app, name="factors", cls=group_of(studies_later("factors")))
app.add_typer(labelings.app, name="labelings")
app.add_typer(views.app, name="views")
for _group in ("datasets", "factors"):
    _exports = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    export_app.add_typer(_exports, name=_group, cls=group_of(exports_later(_group)))
app.add_typer(export_app, name="export")


def run() -> None:
    """Entry point: what a user can cause becomes one sentence and an exit code."""
    try:
        app(standalone_mode=True)
    except JurylensError as error:
        if Asked.debug:
            raise
        say(f"{error}")
        raise SystemExit(1) from None
    except BrokenPipeError:
        # The reader (head, less) has seen enough; what is still buffered must not be flushed into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


if __name__ == "__main__":
    run()
