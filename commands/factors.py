"""What responses are like: measured from their texts."""

from __future__ import annotations

import os
from typing import Annotated

import pandas as pd
import typer

from charts import words
from commands.output import Bar, OfDataset, Output, check_output, say, show_tables, store

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What responses are like: measured from texts, or delivered."
)


@app.command("extract")
def extract_factors(
    dataset: OfDataset = None,
    output: Output = "table",
) -> None:
    """Measure the factors of every response's text that was not measured yet; can be stopped and goes on from there."""
    check_output(output)
    from studies import extract as extraction
    from studies.factors_list import FactorsList
    from studies.pack import pack

    done = extraction.extract(store(), dataset, Bar())
    pack(store(), done.dataset, Bar())
    result = FactorsList(dataset=done.dataset).run(store())
    content = result.as_json() | {"dataset": done.dataset, "measured": done.texts}
    show_tables(dict(result.tables), content, output)
    say(f"{words.plural(done.texts, 'text')} measured" if done.texts else "every text was measured before")
    for line in result.warnings:
        say(f"warning: {line}")


@app.command("embed")
def embed_texts(
    dataset: OfDataset = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="a folder, or a downloaded model of the hub; default all-MiniLM-L6-v2"),
    ] = None,
    output: Output = "table",
) -> None:
    """Turn texts into vectors by their meaning, and compare responses with prompts; goes on where it was stopped."""
    check_output(output)
    bar = Bar()
    if bar.lines and hasattr(os, "nice"):
        os.nice(10)  # a page started it and goes on meanwhile
    from studies import embed as embedding
    from studies.pack import pack

    done = embedding.embed(store(), dataset, model, bar)
    pack(store(), done.dataset, bar)
    content = {"dataset": done.dataset, "embedder": done.embedder, "embedded": done.texts, "compared": done.values}
    show_tables({"embedded": pd.DataFrame([content])}, content, output)
    for line in done.said:
        say(f"warning: {line}")
