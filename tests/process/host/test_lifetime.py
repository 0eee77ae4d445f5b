"""What outlives what: a worker never its server, and Ctrl-C at the terminal never a worker before its streams."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import psutil

from tests.process.host.probes import WORKER

SERVER = """
    import asyncio, sys
    from pathlib import Path
    from engine import ApplyTemplateRequest, ChatPrompt, Engine, EngineConfig

    async def main(models, *worker_command):
        engine = Engine(EngineConfig(models=((None, Path(models)),)), worker_command=worker_command)
        await engine.start()
        request = ApplyTemplateRequest(model="a", prompt=ChatPrompt(messages=()))
        print((await engine.apply_template(request)).prompt, flush=True)
        await asyncio.sleep(60)

    asyncio.run(main(*sys.argv[1:]))
"""


def start_server(model_files):
    """A process with an engine, and the worker that it has started."""
    arguments = [str(model_files), sys.executable, str(WORKER), json.dumps({})]
    server = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVER), *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with server.stdout:
        return server, psutil.Process(int(server.stdout.readline()))


def test_a_worker_ends_when_its_server_is_killed(model_files):
    server, worker = start_server(model_files)
    server.kill()
    server.wait()
    worker.wait(timeout=10)
    assert not worker.is_running()


def test_a_signal_to_the_servers_process_group_does_not_reach_its_workers(model_files):
    server, worker = start_server(model_files)
    try:
        assert os.getpgid(worker.pid) != os.getpgid(server.pid)
        assert os.getsid(worker.pid) == worker.pid
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        worker.wait(timeout=10)
