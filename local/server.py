"""``python -m local.server``: the assistant on loopback, by Rasa's public Python API.

For a look and for tests. Asks for no licence because none of the calls it makes asks for one;
production goes through ``rasa run`` (see the README).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from handoff.errors import HandoffError
from local.training import ROOT, TrainingFailed, train_assistant

LOOPBACK = "127.0.0.1"


def main(argv: list[str] | None = None) -> int:
    """Train if necessary, then serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.server", description=__doc__)
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--config", default="config.yml", help="config.yml or config.llm.yml")
    parser.add_argument("--endpoints", default="endpoints.yml", help="endpoints.yml or endpoints.llm.yml")
    parser.add_argument("--model", type=Path, help="serve this trained assistant instead of training one")
    options = parser.parse_args(argv)
    prepare()
    try:
        model = options.model or train_assistant(options.config, options.endpoints)
        asyncio.run(_serve_until_stopped(model, options.port, options.endpoints))
    except (HandoffError, TrainingFailed, OSError) as error:
        print(f"\n{error}\n", file=sys.stderr, flush=True)
        return 1
    return 0


def prepare() -> None:
    """What has to be done before anything else of Rasa is imported."""
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it looks for prices on the internet
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    sys.path.insert(0, str(ROOT))
    _import_skops()

    from rasa.utils.log_utils import configure_structlog

    configure_structlog()


def _import_skops() -> None:
    """Rasa's classifier reads its model by it.

    At its import it looks for each of several hundred functions in every module that there is; among the
    8,000 that Rasa brings that takes as long as a third of all the rest.
    """
    import skops.io  # noqa: F401


async def _serve_until_stopped(model: Path, port: int, endpoints: str) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    gc.disable()  # a quarter of the start went into looking for garbage in what is there to stay
    app = await load_app(model, endpoints=endpoints)
    async with run_app(app, port, is_alone=True) as address:
        gc.enable()
        print(f"The assistant answers at {address}.", flush=True)
        await stopped.wait()
    await _flush()


async def load_app(
    model: Path, *, endpoints: str = "endpoints.yml", make_channels: Callable[[], Any] | None = None
) -> Any:
    """A trained assistant as a Sanic application, with the channels of ``credentials.yml`` by default."""
    from rasa.core.agent import load_agent
    from rasa.core.config.configuration import Configuration
    from rasa.core.run import configure_app

    _observe(endpoints)
    configured = Configuration.initialise_endpoints(ROOT / endpoints).endpoints
    Configuration.initialise_sub_agents(None)
    channels = (make_channels or _make_channels)()
    app = configure_app(input_channels=channels, enable_api=False, endpoints=configured)
    loop = asyncio.get_running_loop()
    app.ctx.agent = await load_agent(model_path=str(model), endpoints=configured, loop=loop)
    return app


async def _flush() -> None:
    from rasa.tracing.process_observability import flush_process_observability

    await flush_process_observability()


def _observe(endpoints: str) -> None:
    """Traces and metrics as the endpoints file has them; by Rasa, which does so in its command line only."""
    from rasa.tracing.process_observability import ObservabilitySettings, configure_process_observability

    configure_process_observability(
        ObservabilitySettings(project_root=str(ROOT), endpoints_file=str(ROOT / endpoints))
    )


@contextlib.asynccontextmanager
async def run_app(app: Any, port: int, *, is_alone: bool = False) -> AsyncIterator[str]:
    """A Sanic application in the running loop; its own runner would want the main thread for itself.

    Where it ``is_alone`` in its process, Sanic takes out of its code the signals that nobody listens to, as
    it does with ``rasa run``: a tenth of what a callback costs. It changes its classes for that.
    """
    from rasa.core.jobs import kill_scheduler

    app.config.TOUCHUP = is_alone
    async with contextlib.AsyncExitStack() as stack:  # each step is undone though another one fails
        stack.callback(kill_scheduler)  # Rasa has one per process, for the loop that first asked for it
        stack.callback(type(app).unregister_app, app)
        listening = stack.enter_context(socket.create_server((LOOPBACK, port)))
        server = await app.create_server(sock=listening, return_asyncio_server=True, access_log=False)
        await server.startup()
        stack.push_async_callback(server.after_stop)
        stack.push_async_callback(_close, server)
        await server.before_start()
        stack.push_async_callback(server.before_stop)
        await server.after_start()
        yield f"http://{LOOPBACK}:{listening.getsockname()[1]}"


async def _close(server: Any) -> None:
    server.close()
    for connection in list(server.connections):
        connection.close_if_idle() or connection.abort()
    await server.wait_closed()


def _make_channels() -> Any:
    from rasa.core.config.configuration import Configuration
    from rasa.core.run import create_input_channels

    configuration = Configuration.initialise_credentials(ROOT / "credentials.yml")
    return create_input_channels(None, configuration.credentials)


if __name__ == "__main__":
    sys.exit(main())
