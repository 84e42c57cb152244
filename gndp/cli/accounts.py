"""``gndp accounts``: who can sign in, and API tokens for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from gndp.cli.exits import EXIT_CODES
from gndp.cli.options import DatabaseUrl, DataDir, Json, opened, read_settings
from gndp.cli.output import cells, print_json, print_table
from gndp.core.accounts import ApiToken
from gndp.core.states import TokenScope

accounts_app = typer.Typer(help="Who can sign in: accounts, one-time links, API tokens.")

UserId = Annotated[str, typer.Argument(help="The id of the person.", show_default=False)]


@accounts_app.callback(invoke_without_command=True, epilog=EXIT_CODES)
def list_accounts(
    context: typer.Context, database_url: DatabaseUrl = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List the accounts.

    Without a command of its own it lists them.
    """
    if context.invoked_subcommand is not None:
        return
    with opened(database_url, data_dir) as workbench:
        accounts = workbench.entrance.accounts.list()
    if as_json:
        print_json([account._asdict() for account in accounts])
    else:
        print_table(
            ("person", "has a password", "wrong ones since", "locked until"),
            [
                cells(a.user_id, "yes" if a.has_password else "no", a.failed_attempts, a.locked_until)
                for a in accounts
            ],
        )


@accounts_app.command("link")
def issue_link(
    user_id: UserId,
    hours: Annotated[int, typer.Option(min=1, max=168, help="How long it is good.")] = 24,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a link with which a person sets a password, once.

    Whoever has no account gets one. Links that they had are good for nothing from then on.
    """
    settings = read_settings()
    with opened(database_url, data_dir) as workbench:
        link = workbench.entrance.accounts.issue_link(user_id, valid_for=timedelta(hours=hours))
    path = f"/sign-in#link={link.token}"
    if as_json:
        print_json({**link._asdict(), "path": path})
    else:
        typer.echo(f"http://{settings.host}:{settings.port}{path}")


@accounts_app.command("sign-out")
def sign_out(user_id: UserId, database_url: DatabaseUrl = None, data_dir: DataDir = None) -> None:
    """End all sessions and bearer tokens of a person; the password stays."""
    with opened(database_url, data_dir) as workbench:
        workbench.entrance.accounts.sign_out_everywhere(user_id)
    typer.echo(f"{user_id} is signed out everywhere")


@accounts_app.command("tokens")
def list_tokens(
    user_id: UserId, database_url: DatabaseUrl = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List the API tokens of a person or a program, the newest first."""
    with opened(database_url, data_dir) as workbench:
        tokens = workbench.entrance.tokens.list(user_id)
    if as_json:
        print_json([token._asdict() for token in tokens])
    else:
        print_table(("id", "name", "scopes", "good until", "last used"), [_row(token) for token in tokens])


@accounts_app.command("token")
def create_token(
    user_id: UserId,
    name: Annotated[str, typer.Option(help="What it is for.", show_default=False)],
    scope: Annotated[TokenScope, typer.Option(help="What it is good for.")] = TokenScope.WRITE,
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it is good.")] = 90,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make an API token for a program or a person; it is told once."""
    with opened(database_url, data_dir) as workbench:
        expires_at = workbench.clock() + timedelta(days=days)
        made = workbench.entrance.tokens.create(user_id, name, [scope], expires_at)
    if as_json:
        print_json({**made.record._asdict(), "token": made.token})
    else:
        typer.echo(made.token)


@accounts_app.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="The id of the token.", show_default=False)],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Make an API token good for nothing."""
    with opened(database_url, data_dir) as workbench:
        token = workbench.entrance.tokens.revoke(token_id)
    typer.echo(f"the token {token.id} ({token.name}) of {token.user_id} is revoked")


def _row(token: ApiToken) -> list[str]:
    until = "revoked" if token.revoked_at is not None else f"{token.expires_at:%Y-%m-%d %H:%M} UTC"
    return cells(token.id, token.name, ", ".join(token.scopes), until, token.last_used_at)
