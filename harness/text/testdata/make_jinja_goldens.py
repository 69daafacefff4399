# Renders small templates with transformers' own environment: jinja.golden.jsonl, one {"template", "variables", "text" | "fails"} a line.
import json

from transformers.utils.chat_template_utils import _compile_jinja_template

VARIABLES = {
    "n": 7, "f": 2.5, "s": "Hello Wörld", "empty": "", "none": None, "yes": True, "no": False,
    "xs": [3, 1, 2], "names": ["b", "A", "c", "a"], "d": {"b": 1, "a": [1, 2.0, "x'y\"z", None, True], "items": "own", "é": "<&>"},
    "people": [{"name": "Ann", "age": 3, "tags": {"k": "v"}}, {"name": "bob", "age": 1}, {"name": "Cy", "age": 2, "admin": True}],
}
TEMPLATES = r"""
{{ n + 1 }} {{ n - 10 }} {{ n * f }} {{ n / 2 }} {{ n // 2 }} {{ -n // 2 }} {{ -n % 3 }} {{ n % -3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ -2 ** 2 }}
{{ 1e16 }} {{ 1e15 }} {{ 0.0001 }} {{ 0.00001 }} {{ 1.0 }} {{ 100000000000000000000.0 }} {{ 1.5e-7 }} {{ 0.1 + 0.2 }} {{ 5.0 // 2 }} {{ -5.5 % 2 }}
{{ s ~ n ~ f ~ none ~ yes }} {{ 'a' 'b' }} {{ "tab\tnew\\n\x41\u00e9\'" }} {{ 'q"' }} {{ '\d' }}
{{ xs }} {{ d }} {{ (1,) }} {{ (1, 'a') }} {{ [] }} {{ {} }} {{ ['it\'s', "q\"", 'both\'"', '\n\t\x00\u200b é'] }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 1 in xs }} {{ 9 not in xs }} {{ 'ell' in s }} {{ 'b' in d }} {{ true == 1 }}
{{ none is none }} {{ missing is defined }} {{ missing is undefined }} {{ n is number }} {{ yes is number }} {{ yes is integer }} {{ f is float }} {{ s is string }} {{ d is mapping }} {{ xs is sequence }} {{ s is iterable }} {{ n is odd }} {{ n is even }} {{ n is divisibleby 7 }} {{ n is not none }} {{ yes is true }} {{ 1 is true }} {{ no is false }} {{ n is equalto 7 }} {{ n is in xs }} {{ yes is boolean }} {{ d is sequence }} {{ missing is sequence }} {{ range is callable }}
[{{ missing }}] [{{ missing | default('x') }}] [{{ none | default('x') }}] [{{ none | default('x', true) }}] [{{ d.nope }}] [{{ d['nope'] is defined }}] [{{ xs[9] }}] [{{ s.nope }}]
{{ d.items() | list }} {{ d['items'] }} {{ d.keys() | list }} {{ d.values() | list }} {{ d.get('b') }} {{ d.get('zz') }} {{ d.get('zz', 5) }}
{{ s[0] }} {{ s[-1] }} {{ s[1:3] }} {{ s[::-1] }} {{ s[:-3] }} {{ xs[1:] }} {{ xs[::2] }} {{ xs[-2:] }} {{ (1, 2, 3)[1:] }} {{ xs[5:] }} {{ s[::2] }} {{ xs[-1:0:-1] }}
{{ s | upper }} {{ s | lower }} {{ s | length }} {{ s | title }} {{ 'hello wORLD' | capitalize }} {{ '  x ' | trim }}| {{ 'xxaxx' | trim('x') }} {{ s | replace('l', 'L') }} {{ s | replace('l', 'L', 1) }} {{ s | reverse }} {{ s | list }} {{ s | first }} {{ s | last }} {{ s | string }} {{ s | wordcount }}
{{ xs | sort }} {{ xs | sort(reverse=true) }} {{ names | sort }} {{ names | sort(case_sensitive=true) }} {{ people | sort(attribute='age') | map(attribute='name') | list }} {{ xs | sum }} {{ people | sum(attribute='age') }} {{ xs | max }} {{ xs | min }} {{ names | unique | list }} {{ [1, 1, 2] | unique | list }} {{ xs | join('-') }} {{ people | join(', ', attribute='name') }}
{{ people | selectattr('admin') | map(attribute='name') | list }} {{ people | rejectattr('admin', 'defined') | map(attribute='name') | list }} {{ people | selectattr('age', 'equalto', 1) | list | length }} {{ xs | select('odd') | list }} {{ xs | reject('odd') | list }} {{ xs | map('string') | list }} {{ names | map('upper') | join }} {{ people | map(attribute='tags.k', default='none') | list }} {{ none | map('upper') | list }}
{{ '3' | int }} {{ '3.7' | int }} {{ 'x' | int }} {{ 'x' | int(9) }} {{ 3.9 | int }} {{ '2.5' | float }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 2.345 | round(2) }} {{ 2.1 | round(0, 'ceil') }} {{ -3 | abs }} {{ f | round | int }}
{{ d | dictsort }} {{ {'b': 1, 'A': 2} | dictsort }} {{ {'b': 1, 'A': 2} | dictsort(by='value') }} {{ {'b': 1} | items | list }}
{{ d | tojson }} {{ xs | tojson }} {{ s | tojson }} {{ none | tojson }} {{ 1e22 | tojson }} {{ d | tojson(indent=2) }} {{ [] | tojson(indent=2) }} {{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }} {{ s | tojson(ensure_ascii=true) }} {{ xs | tojson(separators=(',', ':')) }} {{ '\u2028\x7f\x01/' | tojson }}
{{ 'a\nb\n\nc' | indent }}|{{ 'a\nb' | indent(2, true) }}|{{ 'a\n\nb' | indent(width=3, blank=true) }}|{{ 'a\nb' | indent('>') }}
{{ ' a  b c '.split() }} {{ 'a,b,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ 'a b  c '.split(none, 1) }} {{ ' a  b c'.rsplit(none, 1) }} {{ ''.split(',') }} {{ ''.split() }} {{ 'x</t>y</t>z'.split('</t>')[-1] }}
{{ ' a '.strip() }}|{{ ' a '.lstrip() }}|{{ ' a '.rstrip() }}|{{ 'xaxx'.strip('x') }}|{{ '\n\na'.lstrip('\n') }}|{{ 'abc'.startswith('ab') }}|{{ 'abc'.endswith(('x', 'bc')) }}|{{ 'abc'.find('c') }}|{{ 'abc'.find('z') }}|{{ 'aXbX'.replace('X', '-') }}|{{ '-'.join(['a', 'b']) }}|{{ 'aBc'.upper() }}|{{ 'it is they\'re'.title() }}|{{ 'éa'.find('a') }}|{{ 'banana'.count('an') }}|{{ '12'.isdigit() }}|{{ 'a\nb\r\nc'.splitlines() }}|{{ 'ab'.removeprefix('a') }}|{{ 'a.b.c'.partition('.') }}|{{ 'a.b.c'.rpartition('.') }}
{{ '{} and {}'.format(1, 'x') }} {{ '{1}{0}'.format('a', 'b') }} {{ '{k}'.format(k=3) }} {{ '%s-%d' % ('a', 3) }} {{ '%s' % 5 }} {{ '%.2f' | format(2.345) }}
{% for x in xs %}{{ loop.index }}/{{ loop.length }}:{{ x }}{{ ',' if not loop.last }}{% endfor %} {% for x in xs if x > 1 %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}{{ x }} {% else %}none{% endfor %} {% for x in [] %}{% else %}empty{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %} {% for k in d %}{{ k }}{% endfor %} {% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %} {% for c in 'añb' %}{{ c }}.{% endfor %}
{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %} {% for i in range(10, 0, -3) %}{{ i }} {% endfor %}
{% for x in xs %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {{ loop.cycle('a', 'b') }} {{ loop.changed(x > 1) }} {% endfor %}
{% set x = 1 %}{% for i in xs %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }} {% set ns = namespace(v=0, w='a') %}{% for i in xs %}{% set ns.v = ns.v + i %}{% endfor %}{{ ns.v }}{{ ns.w }}{{ ns.zz is defined }}
{% if x %}{% set y = 1 %}{% else %}{% set y = 2 %}{% endif %}{{ y }} {% set a, b = 1, 2 %}{{ a }}{{ b }} {% set t %}block {{ n }}{% endset %}{{ t }} {% set u | upper %}block{% endset %}{{ u }}
{% macro m(a, b='B', c=a) %}[{{ a }}{{ b }}{{ c }}{{ varargs }}{{ kwargs }}]{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(b=5, a=4) }}{{ m(1, 2, 3, 4, z=9) }}{{ m() }}
{% macro list_all(xs) %}{% for x in xs %}{{ x }}{% if x is iterable and x is not string %}({{ list_all(x) }}){% endif %}{% endfor %}{% endmacro %}{{ list_all([1, [2, [3]], 4]) | upper }}
{% macro box(t) %}<{{ t }}>{{ caller(2) }}</{{ t }}>{% endmacro %}{% call(v) box('b') %}in {{ v }}{% endcall %}
{% for x in [[1, [2]], [3]] recursive %}{{ loop.depth }}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}{% endif %}{% endfor %}
{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }} {% filter upper %}abc {{ s }}{% endfilter %} {% generation %}gen{% endgeneration %} {% raw %}{{ not }} {% x %}{% endraw %}
{{ 'yes' if n > 5 else 'no' }} {{ 'only' if n < 5 }} {{ n > 5 and 'and' }} {{ none or 'or' }} {{ not n }} {{ 1 if no else 2 if no else 3 }} {{ (1 if yes else 2) + 1 }}
{{ 1 ~ 2 * 3 }} {{ 1 + 2 ~ 3 }} {{ [1] + [2] }} {{ 'ab' * 2 }} {{ [0] * 3 }} {{ (1, 2) + (3,) }} {{ -n | abs }} {{ n | abs + 1 }} {{ 'a' ~ 'b' | upper }} {{ not 1 == 2 }} {{ 'a' in 'abc' and 'z' not in 'abc' }} {{ n is defined and n > 1 }}
{{ people[0].name }} {{ people[0]['tags'].k }} {{ people[-1].admin }} {{ people.0.name }} {{ d['a'][2] }} {{ xs | map('abs') | sum }} {{ (xs | list)[0] }} {{ xs.index(2) }} {{ xs.count(1) }}
{{ raise_exception('boom ' ~ n) }}
{{ missing.attribute }}
{{ missing() }}
{{ missing + 1 }}
{{ 1 + 'a' }}
{{ none + 'a' }}
{{ 'a' < 1 }}
{{ 1 / 0 }}
{{ xs | map('upper') | tojson }}
{{ xs.append(1) }}
{{ s.__class__ }}
{{ d | nosuchfilter }}
{{ 'dead' if no else 'live' }}{% if no %}{{ d | nosuchfilter }}{% endif %}
{% include 'x' %}
{% set ns = namespace() %}{% set ns._x = 1 %}
{{ 'unclosed
{% if 1 %}
{{ 5 | length }}
{{ d | tojson(indent='--') }} {{ dict(a=1, b=2) }} {{ dict({'x': 1}, y=2) | tojson }} {{ 'é' | upper }} {{ 'ß' | upper }} {{ 'ÀÉ' | lower }} {{ 'a&<b>' | e }} {{ s | safe }} {{ 1_000 }} {{ d.b is eq 1 }} {{ [1, 2] is eq [1, 2] }} {{ n is gt 3 }}
{% for t in people %}{{ "Use '"|safe + t.name + "' to '"|safe + "a < b & \"c\"" + "'"|safe }}{% endfor %}
{{ '<'|e + '<' }} {{ '<' + '<'|e }} {{ '<'|e ~ '<' }} {{ '<'|safe + '<' }} {{ '<'|e|e }} {{ '<'|e|forceescape }} {{ '<'|safe|forceescape }} {{ ('<'|safe) is escaped }} {{ '<' is escaped }} {{ ('<'|e) is string }}
{{ ('<i>'|safe).replace('i', '<') }} {{ ('<i>'|safe)|replace('i', '<') }} {{ 'abc'.replace('b', '<'|safe) }} {{ ('<i>'|safe).replace('i', '<'|safe) }} {{ ('a<a'|safe).replace('a', '&', 1) }}
{{ '<%s>'|safe|format('<') }} {{ '<%s>'|safe % '<' }} {{ '<%s>'|safe % ('<'|safe) }} {{ '<%s>'|format('<'|safe) }} {{ '%s %r %d %.1f'|safe % ('<', '<', 3, 2.5) }} {{ '%s' % ('<'|safe) + '<' }} {{ '%s'|safe % [1, '<'] }} {{ '%s' | e | format(none) }}
{{ '<{}>{}'|safe }} {{ ('<{}>{k}'|safe).format('<', k='&') }} {{ '{}'.format('<'|safe) + '<' }} {{ ('{}'|safe).format('<'|safe) + '<' }} {{ ('{0}'|safe).format(5) }} {{ ('{}'|safe).format(['<']) }}
{{ (', '|safe).join(['<', '>'|safe, '&']) }} {{ ['<', '<'|safe]|join(', ') }} {{ ['<', 'a'|safe]|join('<'|safe) + '<' }} {{ '-'.join(['<'|safe]) + '<' }} {{ ('<'|safe).join([1, none]) }}
{{ ('<'|safe) * 2 + '<' }} {{ 2 * ('<'|safe) + '<' }} {{ ('<b>'|safe)[0] + '<' }} {{ ('<b>'|safe)[:2] + '<' }} {{ ('<b>'|safe)|first + '<' }} {{ ('<b>'|safe)|last + '<' }} {{ ('<b>'|safe)|reverse + '<' }} {{ ('<b>'|safe)|list }} {% for c in '<b'|safe %}{{ c + '<' }}{% endfor %}
{{ ('<b>'|safe)|upper + '<' }} {{ ('<B>'|safe).lower() + '<' }} {{ (' <b '|safe)|trim + '<' }} {{ (' <b '|safe).strip() + '<' }} {{ ('<b'|safe)|capitalize + '<' }} {{ ('<b'|safe)|title + '<' }} {{ ('<b'|safe).title() + '<' }} {{ ('<b'|safe)|string + '<' }} {{ ('<b'|safe)|indent(2, true) + '<' }} {{ ('<b>'|safe).removeprefix('<') + '<' }}
{{ ('<a,<b'|safe).split(',') }} {{ ('<a,<b'|safe).split(',')[0] + '<' }} {{ ('<a,<b'|safe).partition(',') }} {{ ('<a\n<b'|safe).splitlines() }} {{ ['<'|safe, "'"|e] }} {{ {'a': '<'|e} }} {{ ('<'|safe, ) }} {{ ('<'|safe) == '<' }} {{ ('<'|safe) in {'<': 1} }} {{ ('<'|safe) in 'a<' }} {{ ('<'|safe) < '=' }}
{{ [1, none, '<'] | e }} {{ 5 | e + '<' }} {{ none | e }} {{ missing | e }}| {{ missing | safe + '<' }} {{ 5 | safe + '<' }} {{ d | safe | length }} {{ '<' | e | tojson }} {{ ('<'|safe) | default('x') + '<' }} {{ ['<', '>'] | map('e') | list }} {{ ['<'] | map('e') | join + '<' }}
{% set x | e %}<{% endset %}{{ x + '<' }} {% set y %}{{ '<' | e }}{% endset %}{{ y + '<' }} {% macro m() %}<{% endmacro %}{{ m() + '<' }} {% macro n(x) %}{{ x }}{% endmacro %}{{ n('<'|e) + '<' }} {% filter e %}<{{ '<'|e }}{% endfilter %}
{{ 2.675|round(2) }} {{ 0.5|round }} {{ 1.5|round }} {{ 2.5|round }} {{ -2.5|round }} {{ 1.005|round(2) }} {{ 1e22|round(1) }} {{ 2.345|round(2) }} {{ 0.15|round(1) }} {{ 0.25|round(1) }} {{ 0.35|round(1) }} {{ 5.015|round(2) }} {{ -0.4|round }} {{ 123.456|round(400) }} {{ 1e300|round(2) }} {{ 4.35|round(1) }} {{ 1e-7|round(7) }}
{{ 7|round }} {{ 7|round(2) }} {{ 1250|round(-2) }} {{ 1350|round(-2) }} {{ -1250|round(-2) }} {{ 1251|round(-2) }} {{ 49|round(-2) }} {{ 51|round(-2) }} {{ 50|round(-2) }} {{ 150|round(-2) }} {{ 7|round(-30) }} {{ true|round }} {{ 1250.0|round(-2) }} {{ 1350.0|round(-2) }} {{ 1250.5|round(-2) }} {{ 49.0|round(-2) }} {{ 50.0|round(-2) }} {{ 50.5|round(-2) }} {{ -99.9|round(-2) }} {{ 5.0|round(-400) }} {{ 2.21|round(1, 'ceil') }} {{ 2.29|round(1, 'floor') }} {{ 7|round(0, 'floor') }} {{ 1234|round(-2, 'ceil') }}
{{ '0x1f'|int(0, 16) }} {{ '1f'|int(0, 16) }} {{ '0x1f'|int(0, 0) }} {{ '0b101'|int(0, 2) }} {{ '0o17'|int(0, 8) }} {{ '017'|int(0, 8) }} {{ '010'|int(7, 0) }} {{ '00'|int(7, 0) }} {{ '0x1f'|int }} {{ '-0X1F'|int(0, 16) }} {{ 'zz'|int(0, 36) }} {{ '12'|int(5, 2) }} {{ '12'|int(5, 1) }} {{ '1_000'|int }} {{ '1__0'|int(5) }} {{ '_1'|int(5) }} {{ '0x_1f'|int(0, 16) }} {{ ' +5 '|int }} {{ '+-5'|int(9) }} {{ '1e3'|int }} {{ '1_0.5'|int }} {{ 'inf'|int(3) }} {{ 'nan'|int(3) }} {{ ''|int(3) }} {{ 31|int(0, 16) }} {{ 3.99|int(0, 16) }} {{ '0b1'|int(0, 16) }} {{ none|int(4) }} {{ [1]|int(4) }}
{{ '1_0.5'|float }} {{ ' +2.5 '|float }} {{ 'inf'|float }} {{ '-Infinity'|float }} {{ 'nan'|float }} {{ '1e400'|float }} {{ '1e-400'|float }} {{ '+-1'|float(9.0) }} {{ '1__0'|float(9.0) }} {{ '.5'|float }} {{ '5.'|float }} {{ 'x'|float }} {{ none|float(2.5) }}
{{ 'İ'|lower }} {{ 'ﬁ'.upper() }} {{ 'ΑΣ'.lower() }} {{ 'ǆ'.title() }} {{ 'ǆ'|title }} {{ 'ﬁne ßtraße'|title }} {{ 'ﬁne'.title() }} {{ 'ﬁne'|capitalize }} {{ 'ßx'|capitalize }} {{ 'ΟΔΥΣΣΕΥΣ ΣΑΣ'|lower }} {{ 'ΑΣ'|title }} {{ 'ΑΣ'.title() }} {{ 'ŉ'|upper }} {{ ['ΑΣ', 'ας']|unique|list }} {{ 'ﬁ' is lower }} {{ 'ǅ' is upper }} {{ "it's o'neil"|title }} {{ "it's o'neil".title() }}
{{ people|sort(attribute='age,name')|map(attribute='name')|list }} {{ [{'a': 1, 'b': 2}, {'a': 1, 'b': 1}, {'a': 0, 'b': 9}]|sort(attribute='a,b') }} {{ [{'a': 1, 'b': 2}, {'a': 1, 'b': 1}]|sort(attribute='a,b', reverse=true) }} {{ people|sort(attribute='nope')|length }} {{ [{}]|max(attribute='a') }} {{ people|unique(attribute='age,name')|list|length }} {{ [{'a': {'b': 2}, 'c': 1}, {'a': {'b': 1}, 'c': 1}]|sort(attribute='c,a.b') }}
{{ 'a\r\nb\x0bc'|indent }} {{ 'a\n\nb\n'|indent(1, blank=true) }}|{{ ''|indent(first=true) }}|{{ 'a\r\n\r\nb'|indent(2) }}
{{ 0.0 % -1.5 }} {{ -3.0 % 1.5 }} {{ 'a' % [1] }} {{ 'a' % d }} {{ '%s' % [1] }} {{ ('<i>'|safe).replace('i', true) }}
{{ n[1:] }}
{{ d[::2] }}
{{ 'a' % (1,) }}
{{ 'a' % 1 }}
{{ 'a'.partition('') }}
{{ people|max(attribute='nope') }}
{{ people|min(attribute='admin') }}
{{ people|sort(attribute='admin') }}
{{ missing < 1 }}
{{ 1 > missing }}
{{ -missing }}
{{ missing|int }}
{{ missing|float }}
{{ missing|round }}
{{ missing|abs }}
{{ missing|indent }}
{{ 5|indent }}
{{ '%d' % missing }}
{{ people|sum(attribute='admin') }}
{{ [missing, 2]|max }}
{{ missing is odd }}
{{ 'inf'|float|int }}
{{ 1|round(1.0) }}
{{ ('a'|safe) + 1 }}
""".strip("\n").split("\n")
TEMPLATES += [
    "a\n  {% if yes %}\n  b\n  {% endif %}\nc\n",
    "a\n  {%- if yes -%}\n  b\n  {%- endif -%}\nc\n\n",
    "  {%+ if yes %}\nx{% endif +%}\ny  {{- 'z' -}}  \n w",
    "{# comment #}\nx {# inline #} y\n  {#- strip -#}  \nz",
    "line {% set a = 1 %}\n   {% set b = 2 %}   \n   {{ a }}\n\t{% for i in xs %}\n\t{{ i }}\n\t{% endfor %}\nend",
    "\r\nwin\r\n{% if yes %}\r\nx\r\n{% endif %}\r\n",
    "{{ '{{' }} {{ \"}}\" }} {{ {'a': {'b': 1}}['a']['b'] }} {{ {'a': {'b': {}}}}}",
    "{%- for m in people -%}\n    {{- '<' + m.name + '>' }}\n    {%- if not loop.last %}\n, {% endif -%}\n{%- endfor %}\n",
    "{% raw -%}  {{ x }}  {%- endraw %}\nz",
]

if __name__ == "__main__":
    with open("jinja.golden.jsonl", "w", encoding="utf8") as out:
        for template in TEMPLATES:
            line = {"template": template}
            try:
                line["text"] = _compile_jinja_template(template).render(**VARIABLES)
            except Exception as error:  # noqa: BLE001
                line["fails"] = type(error).__name__
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    with open("jinja.variables.json", "w", encoding="utf8") as out:
        json.dump(VARIABLES, out, ensure_ascii=False)
