#!/usr/bin/env python3
"""Writes jinja_cases.json: small templates rendered by Python's Jinja2, set up as transformers sets it up.

Needs jinja2 3.1. Run in this folder: python3 make_jinja_cases.py
"""
import json
from datetime import datetime
import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
env.filters["tojson"] = tojson
env.globals["raise_exception"] = raise_exception
env.globals["strftime_now"] = lambda f: datetime(2026, 1, 2, 3, 4, 5).strftime(f)

DATA = {
    "messages": [{"role": "user", "content": " Hello, wörld!\n "}, {"role": "assistant", "content": "a,b,,c"}],
    "s": "The quick brown fox", "t": "it's \"two\" \\ three\n\tfour\u00a0\x07é", "empty": "", "n": 7, "neg": -7, "f": 2.5,
    "flag": True, "nothing": None, "xs": [3, 1, 2], "words": ["banana", "Apple", "cherry", "apple"],
    "d": {"b": 1, "a": [1, 2.0, None, True], "items": "x", "c d": {"e": "ü"}},
    "people": [{"name": "Ada", "age": 36, "tags": ["x"]}, {"name": "bob", "age": 25}, {"name": "Cy", "age": 36}],
    "floats": [0.1, 1.0, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, -0.0, 1.5e300, 100.0, 1e22],
    "emoji": "a🙂b🙃c", "lines": "one\ntwo\r\nthree\n\nfive", "ws": "  x \t y\u2003z \n",
}
EXPRS = """
1 + 2 * 3 - 4 / 2
7 // 2
-7 // 2
7 % 3
-7 % 3
7 % -3
2 ** 10
2 ** -1
7.5 // 2
-7.5 % 2
1 / 3
1 + True
'a' + 'b'
'a' ~ 1 ~ none ~ 2.0 ~ true
'ab' * 3
3 * 'ab'
[1] + [2]
[1, 2] * 2
(1,) + (2,)
(1,)
()
[]
{}
not 1
not ''
1 and 0
0 or 'x'
'' and 1
1 if n > 3 else 2
'y' if not n
none
true
nothing
missing
missing is defined
1 < 2 < 3
1 < 3 < 2
1 == 1.0
'a' < 'b'
[1, 2] < [1, 3]
'a' in 'cat'
'a' not in 'cat'
1 in xs
'b' in d
'z' in d
3 in range(5)
s[0]
s[-1]
s[4:9]
s[::-1]
s[-3:]
s[:-3]
s[1:10:3]
xs[0]
xs[-1]
xs[1:]
xs[::-1]
xs[5] is defined
emoji[1]
emoji[1:4]
emoji[::-1]
s.upper()
s.lower()
s.title()
s.capitalize()
s.split()
s.split('o')
s.split(' ', 1)
s.rsplit(' ', 1)
s.replace('o', '0')
s.replace('o', '0', 1)
s.startswith('The')
s.endswith(('x', 'y'))
s.find('quick')
s.find('zzz')
s.rfind('o')
s.count('o')
s.index('q')
emoji.find('b')
'\u0301a\u200b\ue000\U000e0001\u2028' | list
ws.strip()
ws.lstrip()
ws.rstrip()
'xxaxx'.strip('x')
'xyaxy'.lstrip('yx')
ws.split()
ws.rsplit(none, 1)
ws.split(none, 1)
lines.splitlines()
lines.splitlines(true)
'abc'.replace('', '-')
','.join(['a', 'b'])
'x'.isdigit()
'12'.isdigit()
'ab1'.isalnum()
'ab'.isalpha()
'AB'.isupper()
'Ab'.islower()
' '.isspace()
'é'.isascii()
'{} and {}'.format(1, 'x')
'{0}{1}{0}'.format('a', 'b')
'{a} {{}}'.format(a=1)
'%s-%d' % ('a', 3)
'%s' % 'x'
'100%%' % ()
'%r' % 'x'
'ab'.removeprefix('a')
'ab'.removesuffix('b')
d.get('b')
d.get('zz')
d.get('zz', 5)
d.keys() | list
d.items() | list
d.values() | list
d['c d'].e
d['items']
d.b
d.zz is defined
d
d['a']
t
[t]
{'k': t}
emoji
[emoji]
floats
floats | join(' ')
f
n / 7
10 / 5
1e3
12345678901234567890.0
-0.0
3.14
d | tojson
d | tojson(indent=2)
d | tojson(separators=(',', ':'))
d | tojson(sort_keys=true)
t | tojson
t | tojson(ensure_ascii=true)
emoji | tojson(ensure_ascii=true)
[] | tojson(indent=2)
{} | tojson(indent=4)
floats | tojson
[[], {}] | tojson(indent=1)
(1, 'a') | tojson
nothing | tojson
{1: 2, none: 3, true: 4} | tojson
xs | length
s | length
d | length
missing | length
xs | first
xs | last
[] | first is defined
xs | sort
xs | sort(reverse=true)
words | sort
words | sort(case_sensitive=true)
people | map(attribute='name') | list
people | map(attribute='tags') | list | length
words | map('upper') | list
people | sort(attribute='age') | map(attribute='name') | join(',')
people | map(attribute='tags', default='-') | list
people | selectattr('age', 'equalto', 36) | list | length
people | selectattr('tags', 'defined') | map(attribute='name') | list
people | rejectattr('tags') | map(attribute='name') | list
xs | select('odd') | list
xs | reject('gt', 1) | list
xs | select | list
[0, 1, ''] | select | list
words | unique | list
words | join('|')
people | join(',', attribute='name')
xs | sum
people | sum(attribute='age')
xs | min
xs | max
words | min
xs | reverse | list
'abc' | reverse
xs | list
'abc' | list
d | list
range(3) | list
range(5, 0, -2) | list
range(2, 5) | list
missing | default('x')
nothing | default('x')
nothing | default('x', true)
'' | default('x', boolean=true)
missing | d(1)
'12' | int
'x' | int
'x' | int(5)
'3.7' | int
3.7 | int
'1_000' | int
'3.5' | float
'x' | float
-3 | abs
2.5 | round
3.5 | round
2.567 | round(2)
2.1 | round(0, 'ceil')
2.9 | round(method='floor')
7 | string
'ff' | int(0, 16)
'  x ' | trim
'xax' | trim('x')
'hello world-foo (bar)' | title
'hELLO' | capitalize
s | upper
s | lower
s | replace('o', '0')
s | replace('o', '0', 1)
'a<b>&"c\\'' | e
'x' | center(8)
'x' | center(7)
'ab' | center(7)
'ab' | center(4)
'a\\nb\\n\\nc' | indent
'a\\nb' | indent(2, true)
'a\\n\\nb' | indent(2, blank=true)
'a\\nb' | indent('> ')
'a' | safe
'x%s' | format('y')
d | dictsort | list
d | items | list
d | dictsort(reverse=true) | map(attribute=0) | list
people | map(attribute='tags.0') | list | length
{'a': 1, 'a': 2}
dict(a=1, b=2)
dict(d, b=5)['b']
n is odd
n is even
n is divisibleby 7
n is divisibleby(2)
s is string
n is number
n is integer
f is float
flag is boolean
nothing is none | d is mapping
xs is sequence
s is iterable
n is iterable
flag is true
flag is false
'a' is in 'abc'
1 is eq 1
1 is ne 2
'a' is lower
'A' is upper
range is callable
n is sameas 7
3 is lt 4
3 is ge 3
missing is undefined
missing is not defined
strftime_now('%Y-%m-%d')
strftime_now('%d %B %Y, %H:%M:%S %p %j %a %b %y %I')
not missing
missing == none
missing == missing2
nothing == missing
true == 1
[1, [2]] == [1, [2.0]]
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
(1, 2) == [1, 2]
'a' == 1
-n
- -n
n - -1
'it''s'
"a" 'b'
messages[0].content | trim
messages[-1]['content'].split(',')
messages | map(attribute='role') | join('/')
messages[0]['content'] is string
messages[5].content is defined
range(10)[3]
range(10)[2:4] | list
xs[true]
'abc'['upper'] is defined
loop is defined
none is none
'x' ~ missing ~ 'y'
[missing] | length
1 if missing else 2
xs[n - 7]
1.0
1.50
0x10
1_000
""".strip("\n")

STATEMENTS = [
    "{% for x in xs %}{{ loop.index }}:{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for x in xs %}{{ [loop.index0, loop.revindex, loop.revindex0, loop.first, loop.last, loop.length, loop.depth] }}{% endfor %}",
    "{% for x in xs %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}",
    "{% for x in xs %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for x in [] %}x{% else %}none{% endfor %}",
    "{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x > 4 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in range(10) if x is odd %}{{ loop.index }}{{ x }}/{{ loop.length }} {% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k in d %}{{ k }};{% endfor %}",
    "{% for c in emoji %}[{{ c }}]{% endfor %}",
    "{% for a, b in [(1, 2), [3, 4]] %}{{ a + b }} {% endfor %}",
    "{% for a in [1, 2] %}{% for b in [3, 4] %}{{ loop.depth }}{{ a * b }} {% endfor %}{% endfor %}",
    "{% set x = 1 %}{% for i in xs %}{% set x = x + i %}{% endfor %}{{ x }}",
    "{% set ns = namespace(x=1) %}{% for i in xs %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace() %}{% set ns.a = [1] %}{% set ns.a = ns.a + [2] %}{{ ns.a }}{{ ns.b is defined }}",
    "{% if n > 10 %}a{% elif n > 5 %}b{% elif n > 1 %}c{% else %}d{% endif %}",
    "{% if true %}{% set y = 5 %}{% endif %}{{ y }}",
    "{% set a, b = 1, 'x' %}{{ a }}{{ b }}",
    "{% set block %}x{{ n }}y{% endset %}[{{ block }}]{{ block | length }}",
    "{% set block | upper %}x{{ n }}y{% endset %}{{ block }}",
    "{% filter upper %}a{{ s }}b{% endfilter %}",
    "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }}",
    "{% macro m(a, b='z', c=n) %}({{ a }},{{ b }},{{ c }}){% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(b=3, a=4) }}{{ m() }}",
    "{% macro fact(k) %}{% if k <= 1 %}1{% else %}{{ k * (fact(k - 1) | int) }}{% endif %}{% endmacro %}{{ fact(5) }}",
    "{% set g = 'outer' %}{% macro m() %}{{ g }}{% endmacro %}{% for i in [1] %}{% set g = 'inner' %}{{ m() }}{% endfor %}",
    "{% macro m(x) %}{{ x | trim }}{% endmacro %}{{ m('  a ') | length }}{{ m('b') + 'c' }}",
    "a\n  {% if true %}\n  b\n  {% endif %}\nc\n",
    "a\n  {%- if true -%}\n  b\n  {%- endif -%}\nc\n",
    "  {{ n }}  \n\n  {{- n -}}  x\n",
    "  {%+ if true %} x {% endif +%}\n y",
    "{# c #}\nx{#- c -#}  y\n\n",
    "{% raw %}{{ x }}{% endraw %}\n!",
    "line one\nline two\n",
    "{{ 'a' }}\n{{ 'b' }}\n",
    "{% for m in messages %}\n{{ m.role }}: {{ m.content }}\n{% endfor %}\nend",
    "{% set x = {'a': [1, {'b': 'c'}]} %}{{ x.a[1].b }}{{ x['a'][0] }}",
    "{{ '<|' ~ messages[0].role ~ '|>' + messages[0]['content'] + '<|end|>' }}",
    "{% set tools = tools or [] %}{{ tools }}",
    "{{ xs|length }}x",
    "{{ messages | selectattr('role', 'eq', 'user') | map(attribute='content') | first | trim }}",
    "{% set content = messages[1].content.split(',') %}{{ content[-1] }}{{ content | length }}{{ content[0].strip() }}",
    "{% if messages[0].tool_calls is defined and messages[0].tool_calls %}x{% else %}y{% endif %}",
    "{{ raise_exception('no ' ~ n) }}",
]
ERRORS = [
    "1 + 'a'", "'a' + 1", "missing + 'a'", "missing.x", "missing['x']", "missing()", "none + 1", "1 / 0", "xs + 'a'", "'a' in 1",
    "1 in 'a'", "none in 'a'", "d.items.x.y", "xs.append(4)", "d.update({})", "n()", "1 < 'a'", "none < 1", "xs | sort(attribute='a.b')", "n | length",
    "missing | tojson", "range(1000000)", "[1, 'a'] | sort", "'abc'.nope()", "'' .split('')", "n[1:2]", "d.nope()", "'%d' % 'x'", "'%s %s' % ('a',)", "'%s' % ('a', 'b')",
    "missing < 1", "-missing", "missing | trim + 1", "missing ~ missing.x",
]

cases = []
for source in STATEMENTS + ["{{ " + expr + " }}" for expr in EXPRS.split("\n") + ERRORS]:
    try:
        cases.append({"template": source, "target": env.from_string(source).render(**DATA)})
    except Exception as error:
        cases.append({"template": source, "error": type(error).__name__})
with open("jinja_cases.json", "w") as file:
    json.dump({"jinja2": jinja2.__version__, "data": DATA, "cases": cases}, file, ensure_ascii=True, indent=0)
print(len(cases), "cases,", sum("error" in case for case in cases), "errors")
for case in cases:
    if "error" in case:
        print(case)
