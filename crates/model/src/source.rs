//! Where weights come from.

use std::future::Future;

/// Bytes of a model file at any offset. Browsers answer later, files at once; the loader waits either way.
pub trait WeightSource {
    /// Fills all of `buf` with the bytes from `offset` on.
    ///
    /// # Errors
    /// In the source's words, also when fewer bytes are there than asked for.
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> impl Future<Output = Result<(), String>>;
}

impl WeightSource for &[u8] {
    async fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), String> {
        let start = usize::try_from(offset).ok();
        let found = start.and_then(|start| self.get(start..)).and_then(|rest| rest.get(..buf.len()));
        buf.copy_from_slice(found.ok_or("the file ends before the tensor does")?);
        Ok(())
    }
}
