"""The commands, one file each. What several share stands here and in `terms`."""

import typer

from coinslot.commands import audit, demo, doctor, machines, migrate, serve


def build() -> typer.Typer:
    """The whole command line."""
    cli = typer.Typer(
        name="coinslot",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,  # locals may hold secrets
        help="Scan, pay, and the goods come out; or the money goes back.\n\n"
        "Start with `coinslot demo`; it needs nothing. Settings are environment variables: "
        "docs/settings.md lists them.",
    )
    cli.command()(demo.demo)
    cli.command()(serve.serve)
    cli.command()(serve.web)
    cli.command()(serve.device)
    cli.command()(serve.worker)
    cli.command()(migrate.migrate)
    cli.command()(doctor.doctor)
    cli.command()(audit.audit)
    cli.add_typer(machines.cli, name="machines")
    return cli
