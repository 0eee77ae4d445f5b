"""Templates get what Hugging Face gives them, and hostile ones end soon with an error that is not the caller's."""

import threading
import time
from datetime import UTC, datetime

import pytest

from engine.chat.prompts.template import ChatTemplate, TemplateError, TemplateRefusal
from engine.families import LAST_RESORT

CHATML = LAST_RESORT.template
HELLO = [{"role": "user", "content": "Hello"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "title": "<é>"}}}


def render(source: str, messages: list[dict[str, object]] = HELLO, **kwargs: object) -> str:
    return ChatTemplate(source).render(messages, **kwargs)


def test_plain_chatml_renders_a_conversation() -> None:
    messages = [{"role": "system", "content": "Be brief."}, *HELLO]
    assert render(CHATML, messages) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    )
    assert render(CHATML, add_generation_prompt=False) == "<|im_start|>user\nHello<|im_end|>\n"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ messages[0].content }}{{ messages[0]['role'] }}", "Hellouser"),
        ("  {% if true %}\nx\n  {% endif %}\ny", "x\ny"),
        ("{{ {'k': '<é>&\\''} | tojson }}", '{"k": "<é>&\'"}'),
        ("{{ [1, {'a': none}] | tojson(indent=2) }}", '[\n  1,\n  {\n    "a": null\n  }\n]'),
        ("{{ {'b': 1, 'a': 2} | tojson(sort_keys=true, separators=(',', ':')) }}", '{"a":2,"b":1}'),
        ("{{ 'é' | tojson(ensure_ascii=true) }}", '"\\u00e9"'),
        ("{% for n in [1, 2, 3, 4] %}{% if n == 2 %}{% continue %}{% elif n == 4 %}{% break %}{% endif %}{{ n }}{% endfor %}", "13"),
        ("{% generation %}a{% for n in [1, 2] %}{{ n }}{% endfor %}{% endgeneration %}b", "a12b"),
        ("{% for n in range(5) if n % 2 %}{{ loop.index }}{{ loop.last }}{{ loop.length }}{% endfor %}", "1False22True2"),
        ("{% set ns = namespace(n=0) %}{% for _ in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}", "1"),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice('ab') }}", "abab"),
        ("{% set block %}{{ 1 }}{% endset %}{{ block ~ 2 ~ none }}", "12None"),
        ("{{ ' a,b '.strip().split(',')[-1].upper() }}{{ 'ab'[::-1] }}", "Bba"),
        ("{{ '%s=%d' % ('a', 3) }}{{ '{}-{x} {{}}'.format(1, x=2) }}", "a=31-2 {}"),
        ("{{ 'a-b'.replace('-', '+') }}{{ 'a-b' | replace('-', '*') }}", "a+ba*b"),
        ("{{ ', '.join(messages | map(attribute='role')) }}{{ messages | map(attribute='content') | join('|') }}", "userHello"),
        ("{{ messages | selectattr('role', 'equalto', 'user') | list | length }}", "1"),
        ("{{ messages | join('; ', attribute='role') }}", "user"),
        ("{{ 'a\nb' | indent(2) }}", "a\n  b"),
        ("{{ 2.567 | round(1) }}{{ [1, 2] | sum }}{{ ' x ' | trim | title }}{{ '<' | e }}{{ '<' | safe }}", "2.63X&lt;<"),
        ("{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}{% for k, v in {'b': 2} | dictsort %}{{ k }}{% endfor %}", "a1b"),
        ("{{ nothing }}{{ nothing is defined }}{{ tools is none }}{{ documents is none }}", "FalseTrueTrue"),
        ("{{ messages[0].tool_calls is defined }}{{ messages[0].get('x', 'y') }}", "Falsey"),
        ("{% for x in [[1, [2]]] recursive %}{{ loop(x) if x is sequence else x }}{% endfor %}", "12"),
    ],
)  # fmt: skip
def test_templates_find_what_they_expect(source: str, text: str) -> None:
    assert render(source) == text


def test_special_tokens_tools_and_further_variables_are_given() -> None:
    template = ChatTemplate(
        "{{ bos_token }}{{ tools[0] | tojson }}{{ style }}{{ eos_token }}", bos_token="<s>", eos_token="</s>"
    )
    json_text = '{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "title": "<é>"}}}'
    assert template.render(HELLO, [TOOL], style="!") == f"<s>{json_text}!</s>"


def test_the_date_is_the_clocks() -> None:
    template = ChatTemplate("{{ strftime_now('%d %b %Y') }}", clock=lambda: datetime(2024, 7, 26, tzinfo=UTC))
    assert template.render(HELLO) == "26 Jul 2024"


def test_a_refusal_quotes_the_template() -> None:
    with pytest.raises(TemplateRefusal, match=r"^Roles must alternate$"):
        render("{{ raise_exception('Roles must alternate') }}")


@pytest.mark.parametrize("name", ["messages", "tools"])
def test_variables_cannot_replace_the_conversation(name: str) -> None:
    with pytest.raises(TemplateRefusal, match=f"'{name}' cannot be given"):
        ChatTemplate(CHATML).render(HELLO, **{name: []})


@pytest.mark.parametrize(
    ("source", "tools", "thinking"),
    [
        (CHATML, False, False),
        ("tools {{ messages }}", False, False),
        ("{% set tools = 1 %}", False, False),
        ("{% if tools %}{{ tools | tojson }}{% endif %}", True, False),
        ("{% if enable_thinking is defined %}x{% endif %}", False, True),
        ("{{ message.content.split('</think>') }}", False, True),
    ],
)
def test_what_a_template_supports_is_read_from_it(source: str, tools: bool, thinking: bool) -> None:
    template = ChatTemplate(source)
    assert (template.supports_tools, template.supports_thinking) == (tools, thinking)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{{ 1 + }}", "line 1: unexpected"),
        ("\n{% if x %}", "line 2: Unexpected end of template"),
        ("{{ x | nosuchfilter }}", "No filter named"),
        ("{{" + "(" * 5000 + "1" + ")" * 5000 + "}}", "too deep"),
        ("{% if x %}" * 3000 + "{% endif %}" * 3000, "too deep"),
        ("{% for x in y %}" * 30 + "{% endfor %}" * 30, "too many statically nested blocks"),
        ("{{ 'a\\ud800' }}", "no character"),
        ("x" * (1 << 18) + "x", "longer than 262,144 characters"),
        ("{{ 'x' | replace('', 'y' * 100000000) }}", "8,388,608"),
    ],
)
def test_a_broken_template_is_known_before_it_is_used(source: str, complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint):
        render(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''['__cla' ~ 'ss__'] }}",
        "{{ [''] | map(attribute='__class__') | list }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ raise_exception.__globals__ }}",
        "{{ strftime_now.__closure__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ namespace.mro() }}",
        "{{ '{0.__class__}'.format('') }}",
        "{{ '{x.__class__}'.format_map({'x': 1}) }}",
        "{% macro m() %}{% endmacro %}{{ m.__init__ }}{{ m._func.__globals__ }}",
        "{{ messages.append(1) }}",
        "{{ messages[0].update(role='system') }}",
        "{{ messages[0].clear() }}",
        "{{ 'x'.encode() }}",
        "{{ (1).to_bytes(1000000000, 'big') }}",
        "{{ 'x'.ljust(1000000000) }}",
    ],
)
def test_reaching_for_what_is_not_text_is_refused(source: str) -> None:
    with pytest.raises(TemplateError, match="SecurityError"):
        render(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ '' | attr('__class__') }}",
        "{{ lipsum(n=1000000) }}",
        "{{ 'x' | center(1000000000) }}",
        "{% include 'other' %}",
        "{% import 'os' as os %}",
        "{% extends 'base' %}",
        "{{ namespace(x=1) }}",
        "{{ namespace(x=1) | tojson }}",
    ],
)
def test_what_no_chat_template_needs_is_not_there(source: str) -> None:
    with pytest.raises(TemplateError):
        render(source)


LONG = "{% set a = range(90000) | list %}{% set b = range(90000) | list %}{% set s = 'a' * 8000000 %}{% for _ in range(90000) %}{% if "
TWICE_APPENDED = """\
{% set ns = namespace(a=[1], b=[1]) %}{% for _ in range(60) %}
{% set a = [] %}{% set _ = a.append(ns.a) %}{% set _ = a.append(ns.a) %}{% set ns.a = a %}
{% set b = [] %}{% set _ = b.append(ns.b) %}{% set _ = b.append(ns.b) %}{% set ns.b = b %}
{% endfor %}{{ ns.a == ns.b }}"""


@pytest.mark.parametrize(
    "source",
    [
        TWICE_APPENDED,
        f"{LONG}a == b %}}{{% endif %}}{{% endfor %}}",
        f"{LONG}-1 in a %}}{{% endif %}}{{% endfor %}}",
        f"{LONG}'ab' in s %}}{{% endif %}}{{% endfor %}}",
        f"{LONG}s.count('ab') %}}{{% endif %}}{{% endfor %}}",
        f"{LONG}a.count(-1) %}}{{% endif %}}{{% endfor %}}",
        f"{LONG}a[::-1] %}}{{% endif %}}{{% endfor %}}",
        f"{LONG}a is eq(b) %}}{{% endif %}}{{% endfor %}}",
        f"{LONG}a | max %}}{{% endif %}}{{% endfor %}}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) if (range(99999) | list) and false %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(50) }}",
        "{{ ('x' * 8000000) | map('upper') | list | length }}",
        "{{ ('x' * 8000000) | select('eq', 'y') | list | length }}",
        "{{ ('x' * 8000000) | map(attribute='y') | list | length }}",
    ],
)
def test_a_template_that_loops_ends_when_its_time_is_up(source: str) -> None:
    start = time.thread_time()
    with pytest.raises(TemplateError, match=r"takes more than 0\.2 s"):
        ChatTemplate(source, limit_seconds=0.2).render(HELLO)
    assert time.thread_time() - start < 1.0


TWICE_AS_LONG = (
    "{%% set ns = namespace(x='0123456789') %%}{%% for _ in range(99) %%}{%% set ns.x = %s %%}{%% endfor %%}{{ ns.x }}"
)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x' * 1000000000 }}",
        "{{ 1000000000 * ['x'] }}",
        "{{ range(1000000000) | list }}",
        "{{ 9 ** 99999999 }}",
        TWICE_AS_LONG % "ns.x + ns.x",
        TWICE_AS_LONG % "ns.x ~ ns.x",
        TWICE_AS_LONG % "[ns.x, ns.x]",
        TWICE_AS_LONG % "(ns.x, ns.x)",
        TWICE_AS_LONG % "{'a': ns.x, 'b': ns.x}",
        TWICE_AS_LONG % "dict(a=ns.x, b=ns.x)",
        TWICE_AS_LONG % "ns.x.replace('0', ns.x)",
        TWICE_AS_LONG % "ns.x | replace('0', ns.x)",
        TWICE_AS_LONG % "[ns.x, ns.x] | join(ns.x)",
        TWICE_AS_LONG % "ns.x.join([ns.x, ns.x])",
        TWICE_AS_LONG % "'%s%s' % (ns.x, ns.x)",
        TWICE_AS_LONG % "'{}{}'.format(ns.x, ns.x)",
        "{% set ns = namespace(x=9) %}{% for _ in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
        "{% for _ in range(99999) %}{{ 'x' * 10000 }}{% endfor %}",
        "{% set all %}{% for _ in range(99999) %}" + "x" * 9999 + "{% endfor %}{% endset %}",
        "{% set all %}{% for _ in range(99999) %}{{ 'x' * 9999 }}{% endfor %}{% endset %}",
        "{{ '%100000000d' % 1 }}",
        "{{ '%*d' % (100000000, 1) }}",
        "{{ '{:100000000}'.format(1) }}",
        "{{ '{:{}}'.format(1, 100000000) }}",
        "{{ 'x'.replace('', 'y' * 8000000 ) }}",
        "{{ ('\n' * 1000000) | indent(1000) }}",
        "{{ ('\n' * 1000000) | indent('x' * 1000) }}",
        "{{ 1 | round(100000000, 'ceil') }}",
        "{{ [[1]] | sum(start=[]) }}",
        "{{ messages | tojson(indent=100000000) }}",
        "{{ messages | tojson(separators=('x' * 1000000, ':')) }}",
        "{{ strftime_now('%100000000d') }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% block a %}{{ self.a() }}{% endblock %}",
        "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
    ],
)  # fmt: skip
def test_making_much_of_little_is_refused_soon(source: str) -> None:
    start = time.thread_time()
    with pytest.raises(TemplateError):
        render(source)
    assert time.thread_time() - start < 3.0


def test_many_messages_render_well_within_the_time() -> None:
    messages = [{"role": "user", "content": "Hello " * 20}] * 10_000
    assert len(render(CHATML, messages)) > 1_000_000


def test_templates_render_in_several_threads_at_once() -> None:
    template = ChatTemplate("{% for n in range(count) %}{{ n % 10 }}{% endfor %}")
    texts: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda count: texts.update({count: template.render(HELLO, count=count)}), args=(count,))
        for count in (10, 1000, 5000)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {count: "0123456789" * (count // 10) for count in (10, 1000, 5000)}
