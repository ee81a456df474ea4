"""The `ponder` command."""

import typer

app = typer.Typer(help="Search text, pictures, pages and clips by reasoning within a token budget.")
