//! The C heap beside a driver that compiles inside this process, as lavapipe does.

/// Has the C heap give back what is freed; to be called before drivers are loaded, because an adapter starts its threads
/// when it is listed.
///
/// By itself glibc keeps blocks below a growing limit, and an arena for each thread: 9 MB more once lavapipe has compiled
/// the pipelines of a model, beside weights that are in main memory too.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn keep_small() {
    /// From here on a block is a mapping of its own, which ends when it is freed.
    const OWN_MAPPING_BYTES: libc::c_int = 16 << 10;
    // SAFETY: mallopt takes two numbers, sets limits of the allocator only, and may be called from any thread.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, OWN_MAPPING_BYTES);
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Returns free pages of the C heap to the system.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn trim() {
    // SAFETY: malloc_trim takes a number, touches free memory only, and may be called from any thread.
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries give freed pages back by themselves or have no such call.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) const fn keep_small() {}

/// See [`keep_small`].
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) const fn trim() {}
