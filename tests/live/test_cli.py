"""The command line: what it prints when it starts, and one clear line with an exit code when it cannot."""

import socket
import subprocess
import time

import httpx
import psutil
import pytest

from tests.launch import DEMO_MODEL, command, environment, free_port, serving, start


def trueline(*arguments, **settings):
    """A finished `trueline ARGUMENTS`."""
    return subprocess.run(
        command(*arguments),
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def assert_one_clear_line(run, *words):
    """It failed as the command line promises: exit code 1 or 2, one line that names the cause, no traceback."""
    complaint = run.stderr.strip()
    assert run.returncode in {1, 2}, run.stdout + run.stderr
    assert len(complaint.splitlines()) == 1, complaint
    assert "Traceback" not in complaint
    for word in words:
        assert word in complaint


class TestRefusals:
    def test_a_port_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            assert_one_clear_line(trueline("serve", "--port", str(port)), str(port), "in use")

    def test_a_missing_model_is_named(self, tmp_path):
        path = str(tmp_path / "nobody.gguf")
        assert_one_clear_line(trueline("serve", "--port", str(free_port()), "--model", path), path)

    def test_a_file_that_is_not_gguf_is_named(self, tmp_path):
        path = tmp_path / "fake.gguf"
        path.write_bytes(b"this is not a model" * 100)
        assert_one_clear_line(trueline("serve", "--port", str(free_port()), "--model", str(path)), str(path), "GGUF")

    def test_a_truncated_gguf_is_named(self, tmp_path):
        path = tmp_path / "short.gguf"
        path.write_bytes(b"GGUF\x03\x00\x00\x00")
        assert_one_clear_line(trueline("serve", "--port", str(free_port()), "--model", str(path)), str(path))

    def test_a_gguf_that_ends_in_the_middle_of_its_weights_is_named(self, tmp_path, demo_model_path):
        path = tmp_path / "half.gguf"
        path.write_bytes(demo_model_path.read_bytes()[: demo_model_path.stat().st_size // 2])
        assert_one_clear_line(
            trueline("serve", "--port", str(free_port()), "--model", str(path)), str(path), "truncated"
        )

    def test_a_gguf_that_claims_absurd_sizes_is_named(self, tmp_path):
        path = tmp_path / "hostile.gguf"
        path.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\xff" * 64)
        assert_one_clear_line(trueline("serve", "--port", str(free_port()), "--model", str(path)), str(path))

    def test_an_unknown_key_in_the_toml_is_named(self, tmp_path):
        path = tmp_path / "trueline.toml"
        path.write_text("prot = 9000\n")
        assert_one_clear_line(trueline("serve", "--config", str(path)), "prot")

    def test_a_broken_toml_is_named(self, tmp_path):
        path = tmp_path / "trueline.toml"
        path.write_text("port = = 9000\n")
        assert_one_clear_line(trueline("serve", "--config", str(path)), str(path))

    def test_a_missing_config_file_is_named(self, tmp_path):
        path = str(tmp_path / "nowhere.toml")
        assert_one_clear_line(trueline("serve", "--config", path), path)

    def test_a_bad_environment_value_names_the_setting(self):
        assert_one_clear_line(trueline("serve", TRUELINE_PORT="many"), "port")

    def test_a_missing_key_file_is_named(self, tmp_path):
        path = str(tmp_path / "keys")
        assert_one_clear_line(trueline("serve", "--port", str(free_port()), "--api-key-file", path), path)

    def test_another_address_than_loopback_needs_keys(self):
        assert_one_clear_line(trueline("serve", "--host", "0.0.0.0", "--port", str(free_port())), "0.0.0.0", "key")

    def test_an_unknown_option_exits_with_2(self):
        run = trueline("serve", "--prot", "1")
        assert run.returncode == 2
        assert "--prot" in run.stderr


class TestQuantize:
    def test_it_says_which_family_and_type_and_how_large_the_files_are(self, tmp_path, demo_model_path):
        target = tmp_path / "small.gguf"
        run = trueline("quantize", str(demo_model_path), str(target), "--requantize")
        assert run.returncode == 0, run.stderr
        family, kind, before, after = run.stdout.splitlines()
        assert family.startswith("family  ChatML: its vocabulary has <|im_start|>")
        assert kind == "type    Q4_K_M, as recommended for the family"
        assert f"Q8_0, {demo_model_path.stat().st_size / 1e6:.1f} MB" in before
        assert f"{target}: Q4_K_M, {target.stat().st_size / 1e6:.1f} MB (tensors: " in after
        assert target.stat().st_size < 0.8 * demo_model_path.stat().st_size

    def test_what_is_quantized_already_is_not_quantized_again_unasked(self, tmp_path, demo_model_path):
        run = trueline("quantize", str(demo_model_path), str(tmp_path / "small.gguf"))
        assert_one_clear_line(run, str(demo_model_path), "quantized already", "Q8_0", "--requantize")


class TestConfig:
    def test_it_prints_each_value_and_where_it_came_from(self, tmp_path):
        path = tmp_path / "trueline.toml"
        path.write_text("parallel = 3\n")
        run = trueline("config", "--config", str(path), "--port", "9001", TRUELINE_LOG_LEVEL="debug")
        assert run.returncode == 0, run.stderr
        lines = {
            line.split()[0].lstrip("-").replace("-", "_"): line for line in run.stdout.splitlines() if line.strip()
        }
        assert "9001" in lines["port"]
        assert "--port" in lines["port"]
        assert "debug" in lines["log_level"]
        assert "TRUELINE_LOG_LEVEL" in lines["log_level"]
        assert "3" in lines["parallel"]
        assert path.name in lines["parallel"]
        assert "127.0.0.1" in lines["host"]
        assert "default" in lines["host"]


class TestStart:
    def test_it_says_where_it_listens_which_models_and_where_the_docs_are(self, server):
        assert server.url in server.log
        assert DEMO_MODEL in server.log
        assert f"{server.url}/docs" in server.log

    def test_it_logs_one_line_for_each_request(self, server, http):
        request_id = http.get("/v1/models").headers["x-request-id"]
        deadline = time.monotonic() + 5
        while request_id not in server.log and time.monotonic() < deadline:
            time.sleep(0.02)
        (line,) = [line for line in server.log.splitlines() if request_id in line]
        assert "/v1/models" in line
        assert "200" in line

    def test_health_answers_after_two_seconds_of_work_at_most(self, tmp_path):
        server = start(tmp_path / "log", "--data-dir", str(tmp_path / "data"))
        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    assert httpx.get(f"{server.url}/health").status_code == 200
                    break
                except httpx.TransportError:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            # its own processor time, so that what else the machine does makes no difference
            spent = psutil.Process(server.process.pid).cpu_times()
        finally:
            server.process.kill()
            server.process.wait()
        assert spent.user + spent.system < 2

    def test_a_directory_serves_every_model_in_it(self, tmp_path, demo_model_path):
        for name in ("one", "two"):
            (tmp_path / f"{name}.gguf").symlink_to(demo_model_path)
        with serving(tmp_path, "--model", str(tmp_path)) as server:
            names = {entry["id"] for entry in httpx.get(f"{server.url}/v1/models").json()["data"]}
        assert {"one", "two"} <= names


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["quantize", "--help"], ["download", "--help"]])
def test_help_is_printed(arguments):
    run = trueline(*arguments)
    assert run.returncode == 0
    assert "Usage" in run.stdout
