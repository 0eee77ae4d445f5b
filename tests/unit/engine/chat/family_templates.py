"""Small templates of our own in the styles of families, each with what its family is peculiar in."""

STRICT = """{{ bos_token }}
{%- for m in messages -%}
{%- if m.role == 'system' %}{{ raise_exception('System role not supported') }}{% endif -%}
{%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif -%}
<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}
{{ m.content | trim }}<end_of_turn>
{% endfor %}
{%- if add_generation_prompt %}<start_of_turn>model
{% endif %}"""
"""Gemma 2: no system, users and models in turn, no tools."""

SYSTEM_FIRST = """{%- for m in messages -%}
{%- if m.role == 'system' and not loop.first %}{{ raise_exception('System message must be at the beginning.') }}{% endif -%}
[{{ m.role }}]{{ m.content }}
{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"""
"""Qwen 3.5: a system message at the beginning only."""

FIRST_SYSTEM_ONLY = """{% if messages[0].role == 'system' %}[system]{{ messages[0].content }}
{% endif %}{% for m in messages %}{% if m.role in ('user', 'assistant') %}[{{ m.role }}]{{ m.content }}
{% endif %}{% endfor %}"""
"""Phi: whatever it does not know it leaves out, without a word."""

OBJECT_ARGUMENTS = """{% for m in messages %}[{{ m.role }}]{{ m.content }}
{% for c in m.tool_calls %}<function={{ c.function.name }}>
{% for name, value in c.function.arguments | items %}<parameter={{ name }}>{{ value }}</parameter>
{% endfor %}</function>
{% endfor %}{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}"""
"""Qwen3-Coder: arguments one by one."""

TEXT_ARGUMENTS = """{% for m in messages %}[{{ m.role }}]{{ m.content }}
{% for c in m.tool_calls %}{{ '<function=' + c.function.name + '>' + c.function.arguments }}
{% endfor %}{% endfor %}"""
"""Functionary: arguments as text, added to text."""

JSON_ARGUMENTS = """{% for m in messages %}[{{ m.role }}]{{ m.content }}
{% for c in m.tool_calls %}<tool_call>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}</tool_call>
{% endfor %}{% endfor %}"""
"""Qwen 2.5: text would be quoted twice."""

EITHER_ARGUMENTS = """{% for m in messages %}[{{ m.role }}]{{ m.content }}
{% for c in m.tool_calls %}{% set given = c.function.arguments %}{{ given if given is string else given | tojson }}
{% endfor %}{% endfor %}"""
"""Qwen 3."""

CALLS_INSTEAD_OF_TEXT = """{% for m in messages %}{% if m.tool_calls %}
{%- if m.tool_calls | length != 1 %}{{ raise_exception('one call at a time') }}{% endif -%}
[call]{{ m.tool_calls[0].function | tojson }}
{% else %}[{{ m.role }}]{{ m.content }}
{% endif %}{% endfor %}"""
"""Llama 3: a single call, and no text beside it."""

SHORT_IDS = """{% set ns = namespace(turn=0) %}{% for m in messages %}
{%- if m.role == 'user' or (m.role == 'assistant' and not m.tool_calls) -%}
{%- if (m.role == 'user') != (ns.turn % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif -%}
{%- set ns.turn = ns.turn + 1 -%}
[{{ m.role }}]{{ m.content }}
{%- elif m.tool_calls %}[TOOL_CALLS]{% for c in m.tool_calls -%}
{%- if c.id | length != 9 %}{{ raise_exception('ids have nine characters') }}{% endif -%}
{{ {'name': c.function.name, 'arguments': c.function.arguments, 'id': c.id} | tojson }}
{%- endfor -%}
{%- elif m.role == 'tool' -%}
{%- if m.tool_call_id is not defined or m.tool_call_id | length != 9 %}{{ raise_exception('ids have nine characters') }}{% endif -%}
[RESULT]{{ m.tool_call_id }} {{ m.content }}
{%- else %}{{ raise_exception('Only user, assistant and tool roles are supported') }}{% endif %}{% endfor %}"""
"""Mistral: short ids, and one text of the assistant between two of the user's."""

CALLS_IN_TEXT = """{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}{% if tools %}<|tool_list_start|>{{ tools | tojson }}<|tool_list_end|>{% endif %}"""
"""LFM2: knows nothing of calls."""

THINKING = """{% for m in messages %}<|im_start|>{{ m.role }}
{% if m.role == 'assistant' and loop.last %}<think>
{{ m.reasoning_content or '' }}
</think>

{% endif %}{{ m.content.split('</think>')[-1].lstrip() }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% endif %}{% endif %}"""
"""Qwen 3: the last answer's thinking is shown, or that there was none."""

OPENS_THINKING = """{% for m in messages %}<{{ m.role }}>{{ m.content.split('</think>')[-1] }}</{{ m.role }}>
{% endfor %}{% if add_generation_prompt %}<assistant><think>
{% endif %}"""
"""DeepSeek R1."""

CLOSES_TURN_BEHIND_RESULTS = """
{%- for m in messages if m.role != 'tool' %}{{ '<user>' if m.role == 'user' else '<model>' }}
{%- if m.tool_calls %}[call {{ m.tool_calls[0].function.arguments | tojson }}]
{%- for r in messages if r.role == 'tool' %}[result: {{ r.content }}]{% endfor %}{% endif %}
{{- m.content }}{% if m.content %}</>{% endif %}{% endfor %}
{%- if add_generation_prompt and messages[-1].role != 'tool' %}<model>{% endif %}"""
"""Gemma 4: results are the model's own words, and what it says beside a call is written behind them."""

PARTS_ONLY = """{% for m in messages %}[{{ m.role }}]{% for part in m.content %}{{ part.text }}{% endfor %}
{% endfor %}"""

PARTS_OR_TEXT = """{% for m in messages %}[{{ m.role }}]{% if m.content is string %}{{ m.content }}{% else %}
{%- for part in m.content %}{{ part.text }}{% endfor %}{% endif %}
{% endfor %}"""

DEVELOPER = """{% for m in messages %}<{{ 'instructions' if m.role == 'developer' else m.role }}>{{ m.content }}
{% endfor %}"""

TOOL_USE_ONLY = """{% for tool in tools %}{{ tool.function.parameters.properties | tojson }}{% endfor %}
{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"""
"""Hermes' `tool_use`: there are tools, at least none, and each has parameters."""
