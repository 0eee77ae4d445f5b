"""The metrics page is what Prometheus reads, and says for each model what the engine says."""

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from handlers.wire.activity import exposition, render_slots
from tests.unit.handlers.scripted_engine import ACTIVITY, application, client

KEY = {"Authorization": "Bearer key-1"}


def samples(models):
    families = text_string_to_metric_families(exposition(models).decode())
    return {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}


def test_every_number_is_on_the_page_under_its_model():
    page = samples([ACTIVITY])
    model = ("model", "demo")
    assert page["trueline_requests_total", model, ("outcome", "finished")] == 3
    assert page["trueline_request_duration_seconds_bucket", ("le", "10.0"), model] == 3
    assert page["trueline_request_duration_seconds_sum", model] == 9
    assert page["trueline_worker_deaths_total", model] == 1
    assert page["trueline_kv_cache_tokens", model] == 30
    assert page["trueline_cached_prefixes", model] == 1
    assert page["trueline_completion_tokens_total", model] == 25
    disk = ("cache", "prefix_disk")
    assert page["trueline_cache_entries", disk, model] == 5
    assert page["trueline_cache_bytes", disk, model] == 6000
    assert page["trueline_cache_limit_bytes", disk, model] == 9000
    assert page["trueline_cache_hits_total", ("cache", "prefix_memory"), model] == 3
    assert page["trueline_cache_misses_total", disk, model] == 1
    assert page["trueline_step_seconds_total", model, ("part", "decode")] == 8
    assert page["trueline_step_tokens_bucket", ("le", "512.0"), model] == 25
    assert page["trueline_step_tokens_count", model] == 25


def test_a_model_whose_process_is_silent_or_gone_keeps_its_requests():
    silent = msgspec.structs.replace(ACTIVITY, worker=None)
    page = samples([silent])
    assert page["trueline_open_requests", ("model", "demo")] == 2
    assert ("trueline_kv_cache_tokens", ("model", "demo")) not in page
    assert render_slots([silent])["models"][0]["slots"] == []


def test_slots_show_who_has_them():
    shown = render_slots([ACTIVITY])["models"][0]
    owner = {"request": 7, "index": 0, "prompt_tokens": 40, "completion_tokens": 0}
    assert shown["slots"] == [
        {"slot": 0, "state": "prompt", "tokens": 20, **owner},
        {"slot": 1, "state": "cached", "tokens": 10},
    ]
    assert (shown["running"], shown["kv_capacity_tokens"]) == (1, 512)
    memory = {"cache": "prefix_memory", "entries": 2, "size_bytes": 900, "limit_bytes": 1000, "hits": 3, "misses": 4}
    assert shown["caches"][0] == memory


async def test_both_need_a_key_where_there_are_keys_but_for_metrics_that_were_opened():
    async with client(application(keys=["key-1"])) as http:
        refused = [(await http.get(path)).status_code for path in ("/metrics", "/v1/slots")]
        admitted = [(await http.get(path, headers=KEY)).status_code for path in ("/metrics", "/v1/slots")]
    async with client(application(keys=["key-1"], open_metrics=True)) as http:
        opened = [(await http.get(path)).status_code for path in ("/metrics", "/v1/slots")]
    assert (refused, admitted, opened) == ([401, 401], [200, 200], [200, 401])
