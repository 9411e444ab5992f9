"""`python -m machine_simulator`: one machine from `.env`, or a fleet from a file."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from machine_simulator.fleet import Fleet
from machine_simulator.settings import (
    MachineSpec,
    SettingsError,
    Timing,
    environment,
    machine_of_env,
    read_fleet,
    timing_of_env,
)


def main() -> None:
    arguments = _arguments()
    env = environment(arguments.env)
    logging.basicConfig(
        level=env.get("LOG_LEVEL", "INFO").upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        specs = _specs(arguments.fleet, env)
        timing = timing_of_env(env)
        asyncio.run(_serve(arguments, specs, timing))
    except SettingsError as error:
        sys.exit(f"machine_simulator: {error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="machine_simulator", description=__doc__)
    parser.add_argument("--fleet", type=Path, help="JSON list of machines; SIGHUP reads it again")
    parser.add_argument(
        "--data", type=Path, default=Path("machines"), help="where the machines keep their files"
    )
    parser.add_argument("--env", type=Path, default=Path(".env"), help="settings; see .env.example")
    return parser.parse_args()


def _specs(fleet: Path | None, env: dict[str, str]) -> list[MachineSpec]:
    return read_fleet(fleet) if fleet else [machine_of_env(env)]


async def _serve(arguments: argparse.Namespace, specs: list[MachineSpec], timing: Timing) -> None:
    fleet = Fleet(arguments.data, timing)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)

    def read_again() -> None:
        try:
            count = fleet.start(read_fleet(arguments.fleet))
        except SettingsError as error:
            logging.getLogger(__name__).error("fleet file not taken over: %s", error)
        else:
            print(f"simulator ready: {count} machines", flush=True)

    if arguments.fleet:
        loop.add_signal_handler(signal.SIGHUP, read_again)
    count = fleet.start(specs)
    print(f"simulator ready: {count} machines", flush=True)
    await stopping.wait()
    await fleet.stop()


if __name__ == "__main__":
    main()
