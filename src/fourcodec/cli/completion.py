"""`fourcodec completion`."""

import click
from click.shell_completion import get_completion_class

from fourcodec.cli import options
from fourcodec.cli.help import Command

SHELLS = ("bash", "zsh", "fish")


@click.command(
    cls=Command,
    examples="""
    eval "$(fourcodec completion bash)"                                       # in ~/.bashrc
    eval "$(fourcodec completion zsh)"                                        # in ~/.zshrc, after compinit
    fourcodec completion fish > ~/.config/fish/completions/fourcodec.fish     # once
    """,
)
@click.argument("shell", type=click.Choice(SHELLS))
@options.debug_option
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script with which a shell completes commands, options, their values and file names."""
    kind = get_completion_class(shell)
    assert kind is not None  # click has all of SHELLS
    click.echo(kind(ctx.find_root().command, {}, "fourcodec", "_FOURCODEC_COMPLETE").source())
