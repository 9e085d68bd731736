//! Compiled pipelines: kept whole, or not at all.

use std::fs;

use super::Bench;

#[test]
fn bytes_come_back_and_damaged_ones_do_not() {
    let bench = Bench::new();
    let (store, _) = bench.store();
    let path = bench.config.home.join("pipelines").join("gpu_1");
    assert_eq!(store.pipelines("gpu_1"), None);
    store.keep_pipelines("gpu_1", b"first");
    store.keep_pipelines("gpu_1", b"second");
    assert_eq!(store.pipelines("gpu_1").as_deref(), Some(&b"second"[..]));
    assert_eq!(store.pipelines("gpu_2"), None);
    let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing is left beside it: {names:?}");

    let whole = fs::read(&path).unwrap();
    for i in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[i] ^= 1;
        fs::write(&path, &damaged).unwrap();
        assert_eq!(store.pipelines("gpu_1"), None, "byte {i}");
        fs::write(&path, &whole[..i]).unwrap();
        assert_eq!(store.pipelines("gpu_1"), None, "{i} bytes");
    }
    store.keep_pipelines("gpu_1", b"third");
    assert_eq!(store.pipelines("gpu_1").as_deref(), Some(&b"third"[..]));
}

#[test]
fn a_folder_that_cannot_be_made_is_no_error() {
    let bench = Bench::new();
    fs::write(&bench.config.home, "a file").unwrap();
    let (store, _) = bench.store();
    store.keep_pipelines("gpu_1", b"data");
    assert_eq!(store.pipelines("gpu_1"), None);
}
