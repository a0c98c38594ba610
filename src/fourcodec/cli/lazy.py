"""Groups whose commands are imported when they are used: --help must not wait seconds for torch and numba."""

from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from fourcodec.cli.help import Context

# name: (module, attribute, summary in --help)
Table = dict[str, tuple[str, str, str]]


class LazyGroup(click.Group):
    """A group of commands that are listed in a table and imported when they are called."""

    context_class = Context

    def __init__(self, *args: Any, table: Table, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._table = table

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command. Raises OSError for data that ends too early.

        Click takes any EOFError for the end of typed input and aborts; here an EOFError always means truncated data."""
        try:
            return super().invoke(ctx)
        except EOFError as exc:
            raise OSError(f"data ended too early: {exc}") from exc

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table:
            return None
        module, attribute, _ = self._table[cmd_name]
        return getattr(import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in self._table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Completions of commands from the table; Click's own method would import every command."""
        named = [
            CompletionItem(name, help=summary)
            for name, (_, _, summary) in self._table.items()
            if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]
