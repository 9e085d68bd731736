//! Templates that try to take time, memory or the stack. Each must end in a typed error within 250 ms and 64 MiB, on
//! the stack of a browser's thread, and leave the crate as usable as before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::time::{Duration, Instant};

use common::input_from;
use goldcrest_prompt::{ChatTemplate, PromptError, Rendered};
use serde_json::json;

const MAX_PEAK: u64 = 64 << 20;
const MAX_TIME: Duration = Duration::from_millis(250);
/// What a wasm thread has by default. Builds without optimisation have larger frames.
const STACK: usize = if cfg!(debug_assertions) { 4 << 20 } else { 1 << 20 };

fn attempt(source: &str) -> Result<Rendered, PromptError> {
    let tool = json!({ "type": "function", "function": { "name": "f", "parameters": {} } });
    let input = input_from(&json!({
        "messages": [{ "role": "user", "content": "hello world" }, { "role": "assistant", "content": "x" }],
        "tools": [tool],
        "add_generation_prompt": true,
    }));
    ChatTemplate::new(source).and_then(|template| template.render(&input))
}

/// Error, peak of memory and time of one template, on a small stack. The time is the best of up to three.
fn measured(source: &str) -> (Result<Rendered, PromptError>, u64, Duration) {
    let (mut result, mut peak, mut time) = measured_once(source.to_owned());
    for _ in 0..2 {
        if time <= MAX_TIME {
            break;
        }
        let again = measured_once(source.to_owned());
        (result, peak, time) = (again.0, peak.max(again.1), time.min(again.2));
    }
    (result, peak, time)
}

fn measured_once(source: String) -> (Result<Rendered, PromptError>, u64, Duration) {
    let run = move || {
        let start = Instant::now();
        let mut result = None;
        let info = allocation_counter::measure(|| result = Some(attempt(&source)));
        (result.unwrap(), info.bytes_max, thread_time().unwrap_or_else(|| start.elapsed()))
    };
    std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap()
}

/// What this thread has spent on a processor, where the system tells, to the timer's tick: other programs must not
/// fail the test.
fn thread_time() -> Option<Duration> {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    schedstat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Doubling `start` 60 times by `step`, an expression in `ns.s`.
fn doubling(start: &str, step: &str) -> String {
    format!(
        "{{% set ns = namespace(s={start}) %}}{{% for i in range(60) %}}{{% set ns.s = {step} %}}{{% endfor %}}"
    )
}

/// A string of a megabyte in `big`, made within the budget.
fn with_big(rest: &str) -> String {
    format!("{{% set big = 'x' * 1000000 %}}{rest}")
}

fn hostile() -> Vec<(&'static str, String)> {
    let nested = |open: &str, middle: &str, close: &str, n: usize| {
        format!("{{{{ {}{middle}{} }}}}", open.repeat(n), close.repeat(n))
    };
    let statements = |open: &str, close: &str, n: usize| open.repeat(n) + &close.repeat(n);
    vec![
        // Steps.
        ("nested ranges", "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}".into()),
        ("a range of 10^9", "{% for a in range(1000000000) %}x{% endfor %}".into()),
        ("a range over 64 bits", "{{ range(-9223372036854775807, 9223372036854775807) | list }}".into()),
        ("select over ranges", "{% for a in range(99999) %}{{ range(99999) | select('odd') | list }}{% endfor %}".into()),
        ("loop conditions", "{% for a in range(99999) if a < 0 %}{% endfor %}{% for a in range(99999) %}{% endfor %}".into()),
        // Bytes by operators.
        ("string times 10^8", "{{ 'x' * 100000000 }}".into()),
        ("10^8 times string", "{{ 100000000 * 'x' }}".into()),
        ("string times 2^62", "{{ 'xx' * 4611686018427387904 }}".into()),
        ("list times 10^8", "{{ [1] * 100000000 }}".into()),
        ("list of lists", "{% set a = [[0] * 1000] * 1000 %}{{ a }}{{ a }}{{ a }}{{ a }}".into()),
        ("doubling by +", doubling("'x'", "ns.s + ns.s")),
        ("doubling by ~", doubling("'x'", "ns.s ~ ns.s")),
        ("doubling by *", doubling("'x'", "ns.s * 2")),
        ("doubling a list", doubling("[1]", "ns.s + ns.s")),
        ("doubling a tuple", doubling("(1,)", "ns.s + ns.s")),
        ("doubling by %", doubling("'x'", "'%s%s' % (ns.s, ns.s)")),
        ("doubling by format", doubling("'x'", "'{0}{0}'.format(ns.s)")),
        ("doubling by the format filter", doubling("'x'", "'%s%s' | format(ns.s, ns.s)")),
        ("doubling by join", doubling("'x'", "[ns.s, ns.s] | join")),
        ("doubling by str.join", doubling("'x'", "ns.s.join(['', '', ''])")),
        ("doubling by replace", doubling("'x'", "ns.s.replace('x', 'xx')")),
        ("doubling by the replace filter", doubling("'x'", "ns.s | replace('x', 'xx')")),
        ("doubling by repr", doubling("'\\\\'", "[ns.s] | string")),
        ("doubling by tojson", doubling("'\\\\'", "ns.s | tojson")),
        ("doubling by escape", doubling("'&'", "(ns.s ~ ns.s) | e")),
        ("doubling by capture", "{% set s %}x{% endset %}".to_owned() + &"{% set s %}{{ s }}{{ s }}{% endset %}".repeat(60)),
        ("doubling by macro", "{% macro m(s) %}{{ s }}{{ s }}{% endmacro %}".to_owned() + &doubling("'x'", "m(ns.s)")),
        ("growing by slices", doubling("'xy'", "ns.s + ns.s[:] + ns.s[::-1]")),
        ("squaring by join", with_big("{{ (big | list) | join(big) }}")),
        ("squaring by replace", with_big("{{ big | replace('x', big) }}")),
        ("replace of nothing", with_big("{{ big.replace('', big) }}")),
        ("output in a loop", with_big("{% for i in range(5000) %}{{ big }}{% endfor %}")),
        ("output into a capture", with_big("{% set s %}{% for i in range(5000) %}{{ big }}{% endfor %}{% endset %}")),
        ("indent by a wide pad", with_big("{{ (big | replace('x', '\\n')) | indent(1000, true, true) }}")),
        ("indent by a string", with_big("{{ (big | replace('x', 'x\\n')) | indent(big) }}")),
        ("indent by 10^12", "{{ 'a\\nb' | indent(1000000000000) }}".into()),
        ("center in 10^9", "{{ 'x' | center(1000000000) }}".into()),
        ("center in 2^63", "{{ 'x' | center(9223372036854775807) }}".into()),
        ("tojson indented by 10^9", "{{ [[1]] | tojson(indent=1000000000) }}".into()),
        ("tojson with long separators", with_big("{{ ([1] * 1000) | tojson(separators=(big, big)) }}")),
        ("split into letters", with_big("{% for i in range(99) %}{{ (big | list) | length }}{% endfor %}")),
        ("split at every letter", with_big("{% for i in range(99) %}{{ big.split('x') | length }}{% endfor %}")),
        ("upper case that grows", "{% set s = 'ﬃ' * 1000000 %}{% for i in range(99) %}{{ s | upper }}{% endfor %}".into()),
        ("a dict from ranges", "{% for i in range(99) %}{{ dict(a=range(99999) | list) }}{% endfor %}".into()),
        // Work without memory.
        ("comparing long strings", with_big("{% set b = big ~ '' %}{% for i in range(9999) %}{{ big == b }}{% endfor %}")),
        ("searching long strings", with_big("{% for i in range(9999) %}{{ 'y' in big }}{% endfor %}")),
        ("counting in long strings", with_big("{% for i in range(9999) %}{{ big.count('y') }}{% endfor %}")),
        ("length of long strings", with_big("{% for i in range(9999) %}{{ big | length }}{% endfor %}")),
        ("stripping with a long set", with_big("{{ big.strip(big) }}")),
        ("searching long lists", "{% set l = range(99999) | list %}{% for i in range(9999) %}{{ -1 in l }}{% endfor %}".into()),
        ("unique of many", "{{ range(99999) | unique | list | length }}".into()),
        ("sorting again and again", "{% for i in range(999) %}{{ range(99999) | sort(reverse=true) | first }}{% endfor %}".into()),
        ("sorting by a missing key", "{{ range(1000) | sort(attribute='a.b.c') | list }}".into()),
        ("dictsort of no dict", "{{ 'x' | dictsort }}".into()),
        ("int of long strings", with_big("{% for i in range(9999) %}{{ big | int }}{% endfor %}")),
        ("long separators of nothing", with_big("{% for i in range(9999) %}{{ [] | tojson(separators=(big, big)) }}{% endfor %}")),
        ("a long pad of nothing", with_big("{% for i in range(9999) %}{{ '' | indent(big) }}{% endfor %}")),
        ("a long needle", with_big("{% for i in range(9999) %}{{ 'a'.find(big) }}{% endfor %}")),
        ("repr of foreign text", "{% set s = 'é' * 200000 %}{% for i in range(9999) %}{{ ([s] | string) == 1 }}{% endfor %}".into()),
        ("a long name", format!("{{% for i in range(9999) %}}{{{{ {} }}}}{{% endfor %}}", "a".repeat(200_000))),
        ("a long attribute", format!("{{% for i in range(9999) %}}{{{{ messages.{} }}}}{{% endfor %}}", "a".repeat(200_000))),
        ("a long keyword", format!("{{% for i in range(9999) %}}{{{{ dict({}=1) }}}}{{% endfor %}}", "a".repeat(200_000))),
        ("a long message", with_big("{{ raise_exception(big) }}")),
        // Depth and the stack.
        ("a macro of itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}".into()),
        ("two macros of each other", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}".into()),
        ("brackets", nested("(", "1", ")", 10_000)),
        ("lists", nested("[", "1", "]", 10_000)),
        ("calls", nested("f(", "1", ")", 10_000)),
        ("subscripts", nested("a[", "1", "]", 10_000)),
        ("not not not", nested("not ", "1", "", 60_000)),
        ("minus minus", nested("- ", "1", "", 60_000)),
        ("a long sum", nested("1 + ", "1", "", 30_000)),
        ("a long power", nested("2 ** ", "1", "", 30_000)),
        ("a long conjunction", nested("1 and ", "1", "", 30_000)),
        ("a long comparison", nested("1 < ", "1", "", 30_000)),
        ("conditionals", nested("1 if 1 else ", "1", "", 15_000)),
        ("a long chain of filters", nested("", "1", " | abs", 30_000)),
        ("a long chain of attributes", nested("", "a", ".b", 30_000)),
        ("a long chain of tests", nested("", "a", " is none", 20_000)),
        ("ifs", statements("{% if 1 %}", "{% endif %}", 10_000)),
        ("loops", statements("{% for a in [1] %}", "{% endfor %}", 8_000)),
        ("withs", statements("{% with a = 1 %}", "{% endwith %}", 8_000)),
        ("captures", statements("{% set a %}", "{% endset %}", 9_000)),
        ("filter blocks", statements("{% filter upper %}", "{% endfilter %}", 7_000)),
        ("elifs", format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(20_000))),
        ("a nest of lists at run time", "{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}".into()),
        ("a nest of dicts at run time", "{% set ns = namespace(l={}) %}{% for i in range(9999) %}{% set ns.l = {'a': ns.l} %}{% endfor %}".into()),
        ("a nest of loops", "{% set ns = namespace(l=0) %}{% for i in range(9999) %}{% for j in [ns.l] %}{% set ns.l = loop %}{% endfor %}{% endfor %}".into()),
        ("a ring of namespaces", "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns.a }}".into()),
        ("a ring through a list", "{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns.a }}".into()),
        ("a recursive loop", "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}".into()),
        // Numbers.
        ("a giant power", "{{ 9 ** 9 ** 9 }}".into()),
        ("a giant integer", format!("{{{{ {} }}}}", "9".repeat(50_000))),
        ("a giant product", doubling("3", "ns.s * ns.s")),
        ("the least integer negated", "{{ -(-9223372036854775807 - 1) }}".into()),
        ("the least integer divided", "{{ (-9223372036854775807 - 1) // -1 }}".into()),
        ("division by zero", "{{ 1 // 0 }}{{ 1 % 0 }}".into()),
        ("a step of zero", "{{ 'abc'[::0] }}".into()),
        ("a format of great width", "{{ '%999999999d' % 1 }}".into()),
        ("a format specification", "{{ '{:>999999999}'.format(1) }}".into()),
        // Reach.
        ("include", "{% include '/etc/passwd' %}".into()),
        ("import", "{% import 'os' as os %}".into()),
        ("extends", "{% extends 'base' %}".into()),
        ("class attributes", "{{ ''.__class__.__mro__ }}".into()),
        ("subclasses", "{{ messages.__class__.__subclasses__() }}".into()),
        ("globals of a function", "{{ range.__globals__['os'] }}".into()),
        ("an unknown function", "{{ open('/etc/passwd') }}".into()),
        ("the block itself", "{{ self._TemplateReference__context }}".into()),
        ("changing the messages", "{{ messages.append(1) }}".into()),
        ("randomness", "{{ range(9) | random }}".into()),
        // Size.
        ("a long source", "x".repeat(256 * 1024 + 1)),
        ("an open tag", "{{ 1".into()),
        ("an open comment", "{# ".into()),
        ("an open raw block", "{% raw %}".into()),
    ]
}

#[test]
fn every_hostile_template_ends_in_a_typed_error() {
    let all = hostile();
    assert!(all.len() >= 40);
    let mut faults = Vec::new();
    for (name, source) in all {
        let (result, peak, time) = measured(&source);
        let shown = result.map(|rendered| rendered.text.chars().take(60).collect::<String>());
        println!("{name}: {:?}, {} KiB, {time:?}", shown, peak >> 10);
        if shown.is_ok() || peak > MAX_PEAK || (time > MAX_TIME && !cfg!(debug_assertions)) {
            faults.push(format!("{name}: {shown:?}, {} KiB, {time:?}", peak >> 10));
        }
        let after = attempt("{{ messages[0].content }}").unwrap();
        assert_eq!(after.text, "hello world", "after {name}");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What parsing alone may take: sources of nearly the most tokens, made of the smallest pieces.
#[test]
fn large_sources_stay_small() {
    for (name, source) in [
        ("tags", "{{a}}".repeat(21_000)),
        ("sums", "{{1+1}}".repeat(13_000)),
        ("lists", format!("{{{{[{}1]}}}}", "1,".repeat(1000)).repeat(32)),
        ("comments", "{##}".repeat(64 * 1024)),
        ("macros", "{%macro a()%}{%endmacro%}".repeat(7_000)),
        // Just inside the bounds that keep the stack.
        ("a sum", format!("{{{{ {}1 }}}}", "1 + ".repeat(1_000))),
        ("a chain of attributes", format!("{{{{ a{} }}}}", ".b".repeat(1_000))),
        ("a chain of filters", format!("{{{{ 1{} }}}}", " | abs".repeat(1_000))),
        (
            "signs",
            format!("{{{{ {}1 }}}}", "- ".repeat(16) + &"(".repeat(40) + "1" + &")".repeat(40) + " + "),
        ),
        ("branches", format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(64)).repeat(90)),
    ] {
        let (result, peak, time) = measured(&source);
        println!("{name}: {:?}, {} KiB, {time:?}", result.as_ref().map(|r| r.text.len()), peak >> 10);
        assert!(peak <= MAX_PEAK, "{name}: {} KiB", peak >> 10);
        assert!(time <= MAX_TIME || cfg!(debug_assertions), "{name}: {time:?}");
    }
}
