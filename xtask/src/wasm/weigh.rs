//! What a visitor downloads: the program and its JavaScript, compressed as servers compress.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// One line with the sizes; an error if program and JavaScript together exceed the limit.
pub(super) fn run(wasm: &Path, js: &Path, limit: usize) -> Result<String, String> {
    let name = js.file_stem().unwrap_or_default().to_string_lossy();
    let [(wasm, wasm_gzip), (js, js_gzip)] = [sizes(wasm)?, sizes(js)?];
    let total = wasm_gzip + js_gzip;
    let line = format!(
        "{name}: wasm {wasm} bytes, {wasm_gzip} as gzip; JavaScript {js} bytes, {js_gzip} as gzip; together {total} of {limit}"
    );
    if total <= limit { Ok(line) } else { Err(format!("{line}: too large")) }
}

fn sizes(path: &Path) -> Result<(usize, usize), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let bytes = fs::read(path).map_err(failed)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bytes).map_err(failed)?;
    Ok((bytes.len(), encoder.finish().map_err(failed)?.len()))
}
