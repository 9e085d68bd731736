//! The shader generator on small trees of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use std::path::Path;
use tempfile::TempDir;
use xtask::shaders::{Generated, generate, run};

const SCALE: &str = "\
// y = factor * x
import common/factor;

struct Params { n: u32, @if(BIAS) bias: f32, gain: array<vec4<f32>, 2> }
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

override T: u32 = 64;
override HALF = T / 2;
override WIDTH: u32;

var<workgroup> shared_x: array<vec4<f32>, T>;

@compute @workgroup_size(T)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) i: u32) {
    shared_x[i] = vec4(0.0);
    if id.x < params.n * HALF * WIDTH {
        /* a block /* within */ a block */
        y[id.x] = factor() * x[id.x] + shared_x[i];
    }
    @if(BIAS) { y[id.x] += vec4(params.bias); }
    @else if id.x == 0 { y[0].x = 0.5; } else { y[0].y = 0.25; }
}
";

const FACTOR: &str = "\
import common/unit;
@if(KIND_TWO) fn factor() -> f32 { return 2.0 * unit(); }
@elif(KIND_THREE || (BIAS && !KIND_FOUR)) fn factor() -> f32 { return 3.0 * unit(); }
@else fn factor() -> f32 { return 4.0 * unit(); }

fn nobody_calls_this() -> f32 { return LONELY; }
const LONELY = 7.0;
";

const UNIT: &str = "import common/factor;\nfn unit() -> f32 { return 1.0; }\n";

const TABLE: &str = r#"
[[kernel]]
name = "scale"
variants = { kind = ["two", "three", "four"], bias = [false, true] }
except = [{ kind = "three", bias = true }]
values = { WIDTH = 1 }
"#;

#[test]
fn variants_multiply_and_reflect() {
    let root = tree(TABLE, &[("scale", SCALE), ("common/factor", FACTOR), ("common/unit", UNIT)]);
    let Generated { module, summary, failures, json } = generate(root.path()).unwrap();
    let listed: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(listed.as_array().unwrap().iter().all(|s| module.contains(s["wgsl"].as_str().unwrap())));
    assert_eq!(failures.to_string(), "");
    assert!(summary.starts_with("1 kernels, 5 shaders, "), "{summary}");
    let names: Vec<_> = module.lines().filter(|l| l.contains("pub const ")).map(str::trim).collect();
    assert_eq!(
        names,
        [
            "pub const SCALE_FOUR: ShaderId = ShaderId(0);",
            "pub const SCALE_FOUR_BIAS: ShaderId = ShaderId(1);",
            "pub const SCALE_THREE: ShaderId = ShaderId(2);",
            "pub const SCALE_TWO: ShaderId = ShaderId(3);",
            "pub const SCALE_TWO_BIAS: ShaderId = ShaderId(4);",
        ]
    );
    let plain = shader(&module, "scale_two");
    for line in [
        "kernel: \"scale\",",
        "workgroup_size: [64, 1, 1],",
        "Binding { index: 0, name: \"x\", kind: BindingKind::Read, min_size: 16 },",
        "Binding { index: 1, name: \"y\", kind: BindingKind::ReadWrite, min_size: 16 },",
        "Binding { index: 2, name: \"params\", kind: BindingKind::Uniform, min_size: 48 },",
        "Override { name: \"T\", default: Some(64.0) },",
        "Override { name: \"HALF\", default: Some(32.0) },",
        "Override { name: \"WIDTH\", default: None },",
        "needs: &[],",
        "workgroup_bytes: 1024,",
        "UniformField { name: \"n\", offset: 0, size: 4 },",
        "UniformField { name: \"gain\", offset: 16, size: 32 },",
    ] {
        assert!(plain.contains(line), "{line} is not in\n{plain}");
    }
    assert!(
        !plain.contains("bias") && plain.contains("y[0].x = 0.5") && plain.contains("y[0].y = 0.25"),
        "{plain}"
    );
    assert!(plain.contains("2.0 * unit()") && !plain.contains("3.0 * unit()"), "{plain}");
    let bias = shader(&module, "scale_two_bias");
    assert!(bias.contains("UniformField { name: \"bias\", offset: 4, size: 4 }"), "{bias}");
    assert!(
        bias.contains("+= vec4(params.bias)") && !bias.contains("y[0].x") && !bias.contains("y[0].y"),
        "{bias}"
    );
    assert!(shader(&module, "scale_three").contains("3.0 * unit()"));
    assert!(shader(&module, "scale_four_bias").contains("4.0 * unit()"));
}

#[test]
fn embedded_text_is_short_and_holds_each_import_once() {
    let root = tree(TABLE, &[("scale", SCALE), ("common/factor", FACTOR), ("common/unit", UNIT)]);
    let module = generate(root.path()).unwrap().module;
    let text = shader(&module, "scale_two");
    assert_eq!(text.matches("fn unit()").count(), 1);
    for gone in ["nobody_calls_this", "LONELY", "//", "/*", "import", "@if", "\n\n"] {
        assert!(!text.contains(gone), "`{gone}` is left in\n{text}");
    }
}

#[test]
fn generated_module_is_what_rustfmt_would_write() {
    let root = tree(TABLE, &[("scale", SCALE), ("common/factor", FACTOR), ("common/unit", UNIT)]);
    let file = root.path().join("generated.rs");
    std::fs::write(&file, generate(root.path()).unwrap().module).unwrap();
    let config = xtask::root();
    let done = std::process::Command::new("rustfmt")
        .args(["--check", "--edition", "2024", "--config-path"])
        .args([&config, &file])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

#[test]
fn generated_module_imports_what_it_uses() {
    let table = "[[kernel]]\nname = \"one\"\n";
    let uses = |source: &str| {
        let module = generate(tree(table, &[("one", source)]).path()).unwrap().module;
        module.lines().find(|l| l.starts_with("use ")).unwrap().to_owned()
    };
    assert_eq!(uses("@compute @workgroup_size(1) fn main() {}"), "use crate::shader::Shader;");
    assert_eq!(uses(&main("y[0] = 1;")), "use crate::shader::{Binding, BindingKind, Shader};");
    let overrides = format!("override N: u32 = 1;\n{}", main("y[0] = N;"));
    assert_eq!(uses(&overrides), "use crate::shader::{Binding, BindingKind, Override, Shader};");
    let uniform =
        format!("struct P {{ n: u32 }}\n@group(0) @binding(1) var<uniform> p: P;\n{}", main("y[0] = p.n;"));
    assert_eq!(uses(&uniform), "use crate::shader::{Binding, BindingKind, Shader, UniformField};");
}

#[test]
fn check_notices_a_stale_file() {
    let root = tree(TABLE, &[("scale", SCALE), ("common/factor", FACTOR), ("common/unit", UNIT)]);
    std::fs::create_dir_all(root.path().join("crates/kernels/src")).unwrap();
    assert!(run(root.path(), true).unwrap_err().to_string().contains("stale"));
    assert!(run(root.path(), false).unwrap().ends_with("written"));
    run(root.path(), true).unwrap();
    write(root.path(), "common/unit", "fn unit() -> f32 { return 1.5; }");
    assert!(run(root.path(), true).unwrap_err().to_string().contains("stale"));
}

#[test]
fn a_shader_that_fails_does_not_hold_up_the_others() {
    let table = "[[kernel]]\nname = \"good\"\n[[kernel]]\nname = \"bad\"\n";
    let root = tree(table, &[("good", &main("y[0] = 1;")), ("bad", &main("y[0] = none;"))]);
    std::fs::create_dir_all(root.path().join("crates/kernels/src")).unwrap();
    let error = run(root.path(), false).unwrap_err().to_string();
    assert!(error.starts_with("shaders/bad.wgsl:4: "), "{error}");
    let written = std::fs::read_to_string(root.path().join("crates/kernels/src/generated.rs")).unwrap();
    assert!(written.contains("pub const GOOD:") && !written.contains("pub const BAD:"), "{written}");
}

#[test]
fn features_are_found_and_must_be_listed() {
    let half = "@group(0) @binding(0) var<storage, read_write> y: array<u32>;\n\
                @compute @workgroup_size(1)\nfn main() { y[0] = u32(f16(y[1])) + dot4U8Packed(y[2], subgroupAdd(y[3])); }\n";
    let listed = "[[kernel]]\nname = \"half\"\nneeds = [\"f16\", \"subgroups\", \"packed_dot\"]\n";
    let module = generate(tree(listed, &[("half", half)]).path()).unwrap().module;
    let text = shader(&module, "half");
    assert!(text.contains("needs: &[Feature::F16, Feature::Subgroups, Feature::PackedDot]"), "{text}");
    assert!(text.contains("enable f16;\nrequires packed_4x8_integer_dot_product;\n@group"), "{text}");
    let unlisted = "[[kernel]]\nname = \"half\"\nneeds = [\"f16\", \"packed_dot\"]\n";
    fails(unlisted, &[("half", half)], "uses Subgroups, which `needs` does not list [half]");
    let too_many = "[[kernel]]\nname = \"one\"\nneeds = [\"f16\"]\n";
    fails(too_many, &[("one", &main("y[0] = 1;"))], "`needs` has F16, which no variant uses [one]");
}

#[test]
fn mistakes_are_placed_in_the_file_that_holds_them() {
    let table = "[[kernel]]\nname = \"k\"\nvariants = { kind = [\"a\", \"b\"] }\n";
    let file = |line: &str| format!("// one\n// two\n{line}\n{}", main("y[0] = 1;\n@if(KIND_A) y[0] = 2;"));
    for (line, message) in [
        ("const A = B;", "shaders/k.wgsl:3: no definition in scope for identifier: `B`"),
        ("fn f() -> u32 { return 1.0f; }", "shaders/k.wgsl:3: "),
        ("fn f() { @if(KIND_C) return; }", "shaders/k.wgsl:3: no kernel in kernels.toml has the flag KIND_C"),
        ("@else const A = 1;", "shaders/k.wgsl:3: @else does not follow what an @if governs"),
        ("@if KIND_A const A = 1;", "shaders/k.wgsl:3: @if wants a condition in parentheses"),
        ("@if(KIND_A KIND_B) const A = 1;", "shaders/k.wgsl:3: `KIND_B` is not understood here"),
        ("@if(KIND_A &&) const A = 1;", "shaders/k.wgsl:3: the condition ends too early"),
        ("@if(KIND_A) @if(KIND_B) const A = 1;", "shaders/k.wgsl:3: two conditions on one item"),
        ("fn f() { @if(KIND_A) }", "shaders/k.wgsl:3: @if governs no complete item"),
        ("import common/absent;", "shaders/k.wgsl:3: cannot import common/absent.wgsl"),
        ("import common/..;", "shaders/k.wgsl:3: write `import folder/file;`"),
        ("enable f16;", "shaders/k.wgsl:3: `enable` is written by the generator"),
        ("diagnostic(off, derivative_uniformity);", "shaders/k.wgsl:3: no diagnostic may be turned off"),
        ("fn f() {", "shaders/k.wgsl:3: this declaration does not end"),
    ] {
        fails(table, &[("k", &file(line))], message);
    }
    let import = file("import common/bad;");
    let bad = "const FINE = 1;\n/* long\n comment */ const A = FINE + missing;";
    fails(table, &[("k", &import), ("common/bad", bad)], "shaders/common/bad.wgsl:3: ");
    fails(table, &[("k", &import), ("common/bad", bad)], " [k_a and 1 more]");
}

#[test]
fn rules_of_the_table_hold() {
    let k = main("y[0] = 1;");
    let files: &[(&str, &str)] = &[("k", &k)];
    for (table, message) in [
        ("[[kernel]]\nname = \"K\"\n", "`K` is not a lower-case identifier"),
        ("[[kernel]]\nname = \"k\"\n[[kernel]]\nname = \"k\"\n", "two shaders are called `k`"),
        ("[[kernel]]\nname = \"k\"\nvariant = {}\n", "unknown field `variant`"),
        ("[[kernel]]\nname = \"k\"\nvariants = { f = 1 }\n", "axis `f` is not a list of values"),
        ("[[kernel]]\nname = \"k\"\nvariants = { f = [1] }\n", "axis `f` has the value 1"),
        ("[[kernel]]\nname = \"k\"\nneeds = [\"f64\"]\n", "unknown variant `f64`"),
        (
            "[[kernel]]\nname = \"k\"\nexcept = [{ f = \"a\" }]\n",
            "`except` names f = \"a\", which is no variant",
        ),
        ("[[kernel]]\nname = \"k\"\nvariants = { f = [\"a\", \"b\"] }\n", "a flag that changes nothing"),
        ("[[kernel]]\nname = \"absent\"\n", "absent.wgsl"),
    ] {
        fails(table, files, message);
    }
}

#[test]
fn default_limits_and_conventions_hold() {
    let table = "[[kernel]]\nname = \"k\"\n";
    let y = "@group(0) @binding(0) var<storage, read_write> y: array<u32>;\n";
    let nop = "@compute @workgroup_size(1) fn main() { y[0] = 1; }\n";
    let eight: String =
        (1..8).map(|i| format!("@group(0) @binding({i}) var<storage> b{i}: array<u32>;\n")).collect();
    for (source, message) in [
        (
            format!("{y}@compute @workgroup_size(16, 32) fn main() {{ y[0] = 1; }}"),
            "512 invocations exceed 256",
        ),
        (
            format!(
                "{y}var<workgroup> w: array<u32, 4097>;\n@compute @workgroup_size(1) fn main() {{ w[0] = 1; y[0] = w[0]; }}"
            ),
            "16400 bytes of workgroup memory exceed 16384",
        ),
        (format!("{y}{eight}{nop}"), "8 storage buffers exceed 7"),
        (format!("{y}@group(1) @binding(0) var<storage> x: array<u32>;\n{nop}"), "only group 0 is used"),
        (format!("{y}@group(0) @binding(1) var x: texture_2d<f32>;\n{nop}"), "`x` is not a buffer"),
        (format!("{y}@group(0) @binding(0) var<storage> x: array<u32>;\n{nop}"), "binding 0 is used twice"),
        (
            format!(
                "struct P {{ n: u32 }}\n@group(0) @binding(0) var<uniform> p: P;\n{}{nop}",
                y.replace("binding(0)", "binding(1)")
            ),
            "`p` has to be the last binding",
        ),
        (format!("{y}@compute @workgroup_size(1) fn other() {{ y[0] = 1; }}"), "not a compute `main`"),
        (
            format!("{y}override N: u32;\n@compute @workgroup_size(1) fn main() {{ y[0] = N; }}"),
            "with its override values",
        ),
        (
            format!("{y}@id(3) override N: u32 = 1;\n@compute @workgroup_size(1) fn main() {{ y[0] = N; }}"),
            "has an @id",
        ),
    ] {
        fails(table, &[("k", &source)], message);
    }
}

fn tree(table: &str, files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(root.path(), name, text);
    }
    std::fs::write(root.path().join("shaders/kernels.toml"), table).unwrap();
    root
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join("shaders").join(format!("{name}.wgsl"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn main(body: &str) -> String {
    format!(
        "@group(0) @binding(0) var<storage, read_write> y: array<u32>;\n@compute @workgroup_size(1)\nfn main() {{\n{body}\n}}\n"
    )
}

fn shader<'a>(module: &'a str, name: &str) -> &'a str {
    let start = module.find(&format!("name: {name:?},\n        kernel")).expect(name);
    let end = module[start..].find("\n    },\n").unwrap();
    &module[start..start + end]
}

fn fails(table: &str, files: &[(&str, &str)], message: &str) {
    let error = run(tree(table, files).path(), true).expect_err(message).to_string();
    assert!(error.contains(message), "expected `{message}` in:\n{error}");
}
