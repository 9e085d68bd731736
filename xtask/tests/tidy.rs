//! The rules of the source tree hold here, and each of them notices a tree that breaks it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use xtask::tidy::{self, Rule, Tree};

#[test]
fn every_rule_holds() {
    let tree = Tree::read(&xtask::root()).unwrap();
    match tidy::check(&tree) {
        Ok(line) => println!("{line}"),
        Err(complaints) => panic!("\n{complaints}\n"),
    }
}

const GGUF: &str = "crates/gguf/Cargo.toml";
const GPU: &str = "crates/gpu/Cargo.toml";

#[test]
fn arrows_point_one_way() {
    let wrong: &[(&str, &str)] = &[
        (GGUF, "[dependencies]\ngoldcrest-sample.workspace = true"),
        (GPU, "[dependencies]\ngoldcrest-model.workspace = true"),
        (GPU, "[target.'cfg(unix)'.dependencies]\ngoldcrest-engine = { workspace = true }"),
        (GPU, "[dependencies]\ngoldcrest-testkit.workspace = true"),
        (GPU, "[dev-dependencies]\ngoldcrest-engine.workspace = true"),
        (GPU, "[build-dependencies]\ngoldcrest-kernels.workspace = true"),
        ("crates/unheard_of/Cargo.toml", ""),
        ("examples/chat/Cargo.toml", "[dependencies]\ngoldcrest-gpu.workspace = true"),
    ];
    for (path, text) in wrong {
        notices(tidy::arrows, &[(path, &package(text))], path);
    }
    let right = package(
        "[dependencies]\ngoldcrest-kernels.workspace = true\n[dev-dependencies]\ngoldcrest-testkit.workspace = true",
    );
    assert_eq!(tidy::arrows(&Tree::of(&[(GPU, &right)])), Vec::<String>::new());
}

#[test]
fn libraries_have_owners() {
    for name in ["wgpu", "wasm-bindgen", "js-sys", "tokio", "axum", "naga", "anyhow"] {
        let manifest = package(&format!("[dependencies]\n{name}.workspace = true"));
        notices(tidy::owners, &[("crates/engine/Cargo.toml", &manifest)], name);
    }
    let wgpu = package("[dependencies]\nwgpu.workspace = true");
    assert_eq!(tidy::owners(&Tree::of(&[(GPU, &wgpu)])), Vec::<String>::new());
    notices(tidy::owners, &[("crates/model/src/lib.rs", "\nuse goldcrest_gpu::wgpu::Buffer;")], "lib.rs:2");
}

#[test]
fn manifests_inherit() {
    let good = package("[dependencies]\nhalf = { workspace = true, features = [\"std\"] }");
    assert_eq!(tidy::manifests(&Tree::of(&[(GGUF, &good)])), Vec::<String>::new());
    notices(tidy::manifests, &[(GGUF, &good.replace("[lints]\nworkspace = true", ""))], "[lints]");
    notices(
        tidy::manifests,
        &[(GGUF, &good.replace("edition.workspace = true", "edition = \"2021\""))],
        "edition",
    );
    notices(tidy::manifests, &[(GGUF, &package("[dependencies]\nhalf = \"2\""))], "half does not come from");
    notices(tidy::manifests, &[(GGUF, &good), ("crates/gguf/build.rs", "")], "build script");
}

#[test]
fn libraries_do_not_print() {
    notices(
        tidy::printing,
        &[("crates/engine/src/step.rs", "fn f() {\n    println!(\"x\");\n}")],
        "step.rs:2",
    );
    notices(tidy::printing, &[("crates/engine/src/step.rs", "fn f() { eprint!(\"x\") }")], "step.rs:1");
    let fine =
        "/// println!(\"docs\")\nfn f() {}\n#[cfg(test)]\nmod tests { fn g() { println!(\"skip: x\") } }";
    let tree = Tree::of(&[
        ("crates/engine/src/step.rs", fine),
        ("crates/engine/src/step/tests.rs", "fn f() { println!(\"skip: x\") }"),
        ("crates/engine/tests/step.rs", "fn f() { println!(\"skip: x\") }"),
        ("crates/cli/src/main.rs", "fn main() { println!(\"x\") }"),
    ]);
    assert_eq!(tidy::printing(&tree), Vec::<String>::new());
}

#[test]
fn unsafe_is_rare_and_at_home() {
    let gguf = package("");
    notices(
        tidy::safety,
        &[(GGUF, &gguf), ("crates/gguf/src/lib.rs", "//! A crate.\n")],
        "forbid(unsafe_code)",
    );
    let block = format!("#![forbid(unsafe_code)]\nfn f() {{ {} {{ }} }}", "unsafe");
    notices(tidy::safety, &[(GGUF, &gguf), ("crates/gguf/src/lib.rs", &block)], "lib.rs:2: unsafe outside");
    notices(tidy::safety, &[("crates/gguf/tests/a.rs", &block)], "a.rs:2: unsafe outside");
    let many = format!("{}\n", block.lines().last().unwrap()).repeat(11);
    notices(tidy::safety, &[("crates/gpu/src/lib.rs", &many)], "11 unsafe blocks exceed 10");
    let tree = Tree::of(&[("crates/gpu/src/lib.rs", &block)]);
    assert_eq!((tidy::safety(&tree), tidy::unsafe_blocks(&tree).len()), (Vec::new(), 1));
}

#[test]
fn libraries_do_not_allow_panics_or_box_errors() {
    let allow = "#![allow(clippy::unwrap_used, reason = \"short\")]";
    notices(tidy::panics, &[("crates/engine/src/lib.rs", allow)], "unwrap_used");
    let in_tests = format!("#[cfg(test)]\nmod tests {{ {allow} }}");
    assert_eq!(tidy::panics(&Tree::of(&[("crates/engine/src/lib.rs", &in_tests)])), Vec::<String>::new());
    let boxed = "fn f() -> Result<(), Box<dyn std::error::Error>> { Ok(()) }";
    notices(tidy::errors, &[("crates/engine/src/lib.rs", boxed)], "lib.rs:1");
}

#[test]
fn shaders_are_files() {
    let text = "const S: &str = \"\n@compute fn main() {}\";";
    notices(tidy::shader_text, &[("crates/gpu/src/probe.rs", text)], "probe.rs:2");
    notices(tidy::shader_text, &[("npm/src/probe.ts", text)], "probe.ts:2");
    let homes = [("shaders/a.wgsl", text), ("crates/kernels/src/generated.rs", text)];
    assert_eq!(tidy::shader_text(&Tree::of(&homes)), Vec::<String>::new());
}

#[test]
fn files_are_short_and_well_named() {
    let (rust, wgsl) = ("\n".repeat(801), "\n".repeat(301));
    notices(tidy::short, &[("crates/gguf/src/types.rs", &rust)], "801 lines exceed 800");
    notices(tidy::short, &[("shaders/norm.wgsl", &wgsl)], "301 lines exceed 300");
    let list = |text| [("crates/gguf/src/types.rs", rust.as_str()), ("xtask/size-allow.txt", text)];
    let reason = "# list\ncrates/gguf/src/types.rs: one table\n";
    assert_eq!(tidy::short(&Tree::of(&list(reason))), Vec::<String>::new());
    notices(tidy::short, &list("crates/gguf/src/types.rs\n"), "gives no reason");
    notices(tidy::short, &[("xtask/size-allow.txt", reason)], "is not too long");
    notices(tidy::names, &[("crates/gguf/src/utils.rs", "")], "after what it holds");
    assert_eq!(tidy::names(&Tree::of(&[("crates/gguf/tests/common/mod.rs", "")])), Vec::<String>::new());
}

#[test]
fn words_stay_out() {
    for pieces in [
        ["/wo", "rk/main"],
        ["/tm", "p/x"],
        ["/ho", "me/me/x"],
        ["TO", "DO"],
        ["#[ign", "ore]"],
        ["deb.debian", ".org"],
        ["registry.npm", "js.org"],
    ] {
        let text = format!("\n# {}\n", pieces.concat());
        for path in ["crates/gguf/src/lib.rs", "docs/testing.md", ".ci/run", "Cargo.toml"] {
            notices(tidy::words, &[(path, &text)], &format!("{path}:2"));
        }
    }
}

#[test]
fn kernels_have_all_their_parts() {
    let table = "[[kernel]]\nname = \"norm\"\n[[kernel]]\nname = \"add_rows\"\nfile = \"rows.wgsl\"\ntwin = \"rows\"\nop = \"add\"\n";
    let parts = [
        ("shaders/kernels.toml", table),
        ("shaders/norm.wgsl", "import common/numeric;"),
        ("shaders/rows.wgsl", ""),
        ("shaders/common/numeric.wgsl", ""),
        ("crates/kernels/src/cpu/norm.rs", ""),
        ("crates/kernels/src/cpu/rows.rs", ""),
        ("crates/kernels/src/ops/norm.rs", ""),
        ("crates/kernels/src/ops/add.rs", ""),
    ];
    assert_eq!(tidy::complete(&Tree::of(&parts)), Vec::<String>::new());
    for (i, (path, _)) in parts.iter().enumerate().filter(|(_, (path, _))| !path.contains("common")) {
        let rest: Vec<_> = parts.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, part)| *part).collect();
        notices(tidy::complete, &rest, path);
    }
    let tested = |shapes, code| {
        [&parts[..], &[("tests/kernels.toml", shapes), ("crates/testkit/tests/rows.rs", code)]].concat()
    };
    for files in [
        tested("[[row]]\nop = \"norm\"\n[[row]]\nop = \"add\"\n", ""),
        tested("[[row]]\nop = \"norm\"\n", "ops::add(&x)"),
    ] {
        assert_eq!(tidy::complete(&Tree::of(&files)), Vec::<String>::new());
    }
    notices(
        tidy::complete,
        &tested("[[row]]\nop = \"norm\"\n", "ops::add_all(&x)"),
        "runs the operation add",
    );
    notices(tidy::complete, &[("shaders/kernels.toml", ""), ("shaders/old.wgsl", "")], "no kernel uses it");
    notices(tidy::complete, &[("shaders/kernels.toml", "kernel = 1")], "shaders/kernels.toml");
}

#[test]
fn dependencies_are_few_and_explained() {
    let four = package(
        "[dependencies]\na.workspace = true\nb.workspace = true\nc.workspace = true\nthiserror.workspace = true",
    );
    assert_eq!(tidy::budgets(&Tree::of(&[(GGUF, &four)])), Vec::<String>::new());
    notices(tidy::budgets, &[(GGUF, &four.replace("thiserror", "d"))], "4 direct dependencies exceed 3");
    let manifest = "[workspace.dependencies]\ngoldcrest = { path = \"x\" }\nhalf = \"2\"\n";
    let right = "| `half` | f16 |\n";
    assert_eq!(
        tidy::explained(&Tree::of(&[("Cargo.toml", manifest), ("docs/dependencies.md", right)])),
        Vec::<String>::new()
    );
    notices(tidy::explained, &[("Cargo.toml", manifest)], "half has no line");
    notices(tidy::explained, &[("docs/dependencies.md", right)], "explains half");
}

#[test]
fn golden_data_stay_small() {
    let folder = tempfile::tempdir().unwrap();
    let golden = folder.path().join("tests/golden/tiny");
    std::fs::create_dir_all(&golden).unwrap();
    std::fs::File::create(golden.join("a.gguf")).unwrap().set_len(12_000_000).unwrap();
    assert_eq!(tidy::small(&Tree::read(folder.path()).unwrap()), Vec::<String>::new());
    std::fs::write(golden.join("b.json"), "1").unwrap();
    assert_eq!(tidy::small(&Tree::read(folder.path()).unwrap()).len(), 1);
}

fn notices(rule: Rule, files: &[(&str, &str)], complaint: &str) {
    let complaints = rule(&Tree::of(files));
    assert!(complaints.iter().any(|c| c.contains(complaint)), "`{complaint}` is not among {complaints:?}");
}

fn package(rest: &str) -> String {
    let inherited: String = ["version", "edition", "rust-version", "license"]
        .iter()
        .map(|key| format!("{key}.workspace = true\n"))
        .collect();
    format!("[package]\nname = \"x\"\n{inherited}[lints]\nworkspace = true\n{rest}\n")
}
