//! Every input that once broke the parser under the fuzzer.

use std::path::Path;

use crate::verdict::verdict;

#[test]
fn inputs_found_by_fuzzing_are_handled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/regressions");
    // The folder is not part of the published package.
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skip: {} is not here", folder.display());
        return;
    };
    let mut n = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ext| ext == "gguf") {
            println!("{}: {:?}", path.display(), verdict(&std::fs::read(&path).unwrap()).map(|_| "accepted"));
            n += 1;
        }
    }
    assert!(n > 0, "{} holds no input", folder.display());
}
