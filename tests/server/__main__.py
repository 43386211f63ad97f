"""`python -m tests.server`: install the server, build the test modules, or run both by hand."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import suppress

from .api import ApiError
from .cache import BuildError, say
from .install import server_binary
from .modules import build_module, module_names
from .server import Server, StartError


def main() -> int:
    """Do what the command line says; 1 with a message when it fails."""
    options = _parser().parse_args()
    try:
        if options.command == "install":
            print(server_binary())
        elif options.command == "build-modules":
            for name in options.names or module_names():
                print(build_module(name))
        else:
            _run(options.port, options.module, options.database or options.module.replace("_", "-"))
    except (BuildError, StartError, ApiError) as error:
        say(str(error))
        return 1
    return 0


def _run(port: int, module: str, database: str) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C, and so cleans up
    wasm = build_module(module).read_bytes()
    with Server(port) as server:
        server.publish(database, wasm)
        what = f"SpacetimeDB {server.version()} at {server.url} has database {database}"
        print(f"{what}; Ctrl-C ends it", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.server", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("install", help="build the server, once per machine, and print its path")
    build = commands.add_parser("build-modules", help="build test modules and print their paths")
    build.add_argument("names", nargs="*", metavar="name", help="which ones (default: all)")
    run = commands.add_parser("run", help="start a server with a module, until Ctrl-C")
    run.add_argument("--module", default="chat", choices=module_names())
    run.add_argument("--database", help="the database's name (default: the module's)")
    run.add_argument("--port", type=int, default=3000)
    return parser


if __name__ == "__main__":
    sys.exit(main())
