"""Groups whose commands are imported when they are used: --help must not wait seconds for torch and numba."""

from difflib import get_close_matches
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command that arguments begin with. Raises UsageError, with the commands that may have been meant.

        Click's own method looks for those among the commands that it has, which here are none.
        """
        name = args[0]
        if name in self._table or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        near = get_close_matches(name, self._table)
        meant = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(self._table)}"
        raise click.UsageError(f"there is no command {name!r}: {meant}", ctx)

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
