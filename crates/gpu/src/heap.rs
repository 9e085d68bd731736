//! The C heap beside a driver that compiles inside this process, as lavapipe does.

/// Has the C heap return what is free now, and from now on what is freed.
///
/// To be called before drivers are loaded, because an adapter starts its threads when it is listed; after a pipeline is
/// compiled; and once the description of a model is dropped. By itself glibc keeps free pages in the middle of the heap,
/// blocks below a growing limit, and an arena for each thread: 34 MB more once lavapipe has compiled the pipelines of a
/// model, beside weights that are in main memory too.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn shrink_heap() {
    /// A block of this size is a mapping of its own, which ends when it is freed.
    const OWN_MAPPING_BYTES: libc::c_int = 16 << 10;
    // SAFETY: both calls take numbers, set limits of the allocator or touch free memory only, and may be called from any
    // thread.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, OWN_MAPPING_BYTES);
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::malloc_trim(0);
    }
}

/// Other C libraries give freed pages back by themselves or have no such call.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const fn shrink_heap() {}
