//! A model file on disk as a source of bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use goldcrest_engine::EngineError;
use goldcrest_gguf::{ByteSource, Gguf, SourceError};
use goldcrest_model::WeightSource;

use crate::LoadError;

/// A model file. It is read in pieces and never mapped: mapped pages would count as memory in use.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    path: String,
    len: u64,
}

impl FileSource {
    /// Opens a regular file.
    ///
    /// # Errors
    /// [`LoadError::Io`], also for a folder.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let name = path.display().to_string();
        let failed = |source| LoadError::Io { path: name.clone(), source };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self { len: metadata.len(), path: name, file })
    }

    /// Reads and checks the header.
    ///
    /// # Errors
    /// [`LoadError::Io`], [`EngineError::Gguf`].
    pub fn describe(&mut self) -> Result<Gguf, LoadError> {
        Gguf::from_source(self).map_err(|error| match error {
            SourceError::Read(source) => LoadError::Io { path: self.path.clone(), source },
            SourceError::Gguf(error) => EngineError::from(error).into(),
        })
    }

    fn read(&mut self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(buf)
    }
}

impl ByteSource for FileSource {
    type Error = io::Error;

    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.read(offset, buf)
    }
}

impl WeightSource for FileSource {
    async fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), String> {
        self.read(offset, buf).map_err(|error| format!("{}: {error}", self.path))
    }
}
