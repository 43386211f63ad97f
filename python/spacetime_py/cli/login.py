"""`spacetime-py login` and `logout`."""

from __future__ import annotations

import click

from ..credentials import Credentials, TokenStore
from ..jwt import identity_in
from .settings import chosen_server, server_options


@click.command()
@click.option("--show-token", is_flag=True, help="Print the token that is kept, and do nothing.")
@server_options
def login(uri: str | None, token: str | None, show_token: bool) -> None:
    """Become somebody at a server, and keep the token.

    Without --token the server makes a new identity, unless one is kept already. Tokens are kept in
    a file that only you can read.
    """
    store = TokenStore()
    server = chosen_server(uri, token)
    kept = store.get(server.uri)
    if show_token:
        if kept is None:
            raise click.ClickException(f"nobody is logged in at {server.uri}: `spacetime-py login`")
        click.echo(kept.token)
        return
    if token is not None:
        kept = Credentials(identity_in(token), token)
    elif kept is None:
        with chosen_server(uri, None).client() as http:
            made = http.identity()
        kept = Credentials(str(made.identity), made.token)
    store.set(server.uri, kept)
    click.echo(f"logged in at {server.uri}" + (f" as {kept.identity}" if kept.identity else ""))


@click.command()
@server_options
def logout(uri: str | None, token: str | None) -> None:
    """Forget the token of a server."""
    server = chosen_server(uri, token)
    was_there = TokenStore().remove(server.uri)
    click.echo(f"{'logged out of' if was_there else 'nobody was logged in at'} {server.uri}")
