//! Giving back what a driver's compiler has freed.

/// Returns free pages of the C heap to the system.
///
/// lavapipe compiles inside this process and leaves some 25 MB of freed heap behind, which glibc keeps resident.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn trim() {
    // SAFETY: malloc_trim takes a number, touches free memory only, and may be called from any thread.
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries give freed pages back by themselves or have no such call.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) const fn trim() {}
