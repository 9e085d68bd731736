use crate::GgmlType;

/// Why a file, a value or a block was refused. `offset` counts bytes from the start of the file, for tensor data from
/// the start of the data section; `found` is what the file says; `limit`, `min` and `max` are inclusive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are documented together above")]
pub enum GgufError {
    /// The first four bytes are not `GGUF`.
    #[error("not a GGUF file: it starts with {found:02x?}")]
    BadMagic { found: [u8; 4] },
    /// The version is that of a big-endian file.
    #[error("big-endian GGUF (version {version}) is not supported")]
    BigEndian { version: u32 },
    /// Only versions 2 and 3 are read; version 1 has 32-bit counts.
    #[error("GGUF version {found} is not supported (2 and 3 are)")]
    UnsupportedVersion { found: u32 },
    /// The file ends before something it promised.
    #[error(
        "file ends too early: {what} at byte {offset} needs {needed} bytes, the file has {file_len} in all"
    )]
    Truncated { what: &'static str, offset: u64, needed: u64, file_len: u64 },
    /// Metadata and tensor descriptions together pass [`limits::MAX_HEADER_BYTES`](crate::limits::MAX_HEADER_BYTES).
    #[error("header passes {limit} bytes: {what} at byte {offset} needs {needed} more")]
    HeaderTooLong { what: &'static str, offset: u64, needed: u64, limit: u64 },

    /// More metadata pairs than [`limits::MAX_KEYS`](crate::limits::MAX_KEYS).
    #[error("{found} metadata keys, the limit is {limit}")]
    TooManyKeys { found: u64, limit: u64 },
    /// A key longer than [`limits::MAX_KEY_BYTES`](crate::limits::MAX_KEY_BYTES).
    #[error("metadata key at byte {offset} has {found} bytes, the limit is {limit}")]
    KeyTooLong { offset: u64, found: u64, limit: u64 },
    /// A key of no bytes.
    #[error("metadata key at byte {offset} is empty")]
    EmptyKey { offset: u64 },
    /// A key with a byte above 0x7F.
    #[error("metadata key at byte {offset} is not ASCII")]
    KeyNotAscii { offset: u64 },
    /// The same key twice.
    #[error("metadata key `{key}` occurs twice")]
    DuplicateKey { key: String },
    /// A value type id outside the format.
    #[error("key `{key}`: unknown value type {found} at byte {offset}")]
    UnknownValueType { key: String, offset: u64, found: u32 },
    /// An element type id outside the format.
    #[error("key `{key}`: unknown array element type {found} at byte {offset}")]
    UnknownElementType { key: String, offset: u64, found: u32 },
    /// An array whose elements are arrays.
    #[error("key `{key}`: array of arrays at byte {offset}")]
    NestedArray { key: String, offset: u64 },
    /// An array longer than [`limits::MAX_ARRAY_LEN`](crate::limits::MAX_ARRAY_LEN).
    #[error("key `{key}`: array at byte {offset} has {found} elements, the limit is {limit}")]
    ArrayTooLong { key: String, offset: u64, found: u64, limit: u64 },
    /// A string longer than [`limits::MAX_STRING_BYTES`](crate::limits::MAX_STRING_BYTES).
    #[error("key `{key}`: string at byte {offset} has {found} bytes, the limit is {limit}")]
    StringTooLong { key: String, offset: u64, found: u64, limit: u64 },
    /// Text that is not UTF-8, under a key whose strings are not token pieces.
    #[error("key `{key}`: string at byte {offset} is not UTF-8")]
    StringNotUtf8 { key: String, offset: u64 },
    /// A boolean that is neither 0 nor 1.
    #[error("key `{key}`: boolean at byte {offset} is {found}")]
    BadBool { key: String, offset: u64, found: u8 },
    /// An alignment that is not a power of two within the limits.
    #[error("general.alignment is {found}: not a power of two from {min} to {max}")]
    BadAlignment { found: u64, min: u64, max: u64 },

    /// More tensors than [`limits::MAX_TENSORS`](crate::limits::MAX_TENSORS).
    #[error("{found} tensors, the limit is {limit}")]
    TooManyTensors { found: u64, limit: u64 },
    /// A tensor name longer than [`limits::MAX_TENSOR_NAME_BYTES`](crate::limits::MAX_TENSOR_NAME_BYTES).
    #[error("tensor name at byte {offset} has {found} bytes, the limit is {limit}")]
    TensorNameTooLong { offset: u64, found: u64, limit: u64 },
    /// A tensor name of no bytes.
    #[error("tensor name at byte {offset} is empty")]
    EmptyTensorName { offset: u64 },
    /// A tensor name that is not UTF-8.
    #[error("tensor name at byte {offset} is not UTF-8")]
    TensorNameNotUtf8 { offset: u64 },
    /// The same tensor name twice.
    #[error("tensor `{name}` occurs twice")]
    DuplicateTensor { name: String },
    /// No axis, or more than [`limits::MAX_DIMS`](crate::limits::MAX_DIMS).
    #[error("tensor `{name}` has {found} dimensions at byte {offset}: 1 to {limit} are possible")]
    BadDimCount { name: String, offset: u64, found: u32, limit: u32 },
    /// An axis of length zero.
    #[error("tensor `{name}`: dimension {axis} is zero")]
    ZeroDim { name: String, axis: u32 },
    /// The element count does not fit 64 bits.
    #[error("tensor `{name}`: the product of {dims:?} does not fit 64 bits")]
    TooManyElements { name: String, dims: [u64; 4] },
    /// The byte size does not fit 64 bits.
    #[error("tensor `{name}`: {n_elements} elements of {ty} do not fit 64 bits")]
    TensorTooLarge { name: String, ty: GgmlType, n_elements: u64 },
    /// A type id that the format once had and dropped.
    #[error("tensor `{name}` has type {id}, which was removed from GGUF")]
    RemovedTensorType { name: String, id: u32 },
    /// A type id outside the format.
    #[error("tensor `{name}` has unknown type {id}")]
    UnknownTensorType { name: String, id: u32 },
    /// A row that is not a whole number of blocks.
    #[error("tensor `{name}`: rows of {ne0} elements are not whole blocks of {block_len} ({ty})")]
    RowNotWholeBlocks { name: String, ty: GgmlType, ne0: u64, block_len: u64 },
    /// A data offset that is not a multiple of the alignment.
    #[error("tensor `{name}`: data offset {offset} is not a multiple of {alignment}")]
    OffsetNotAligned { name: String, offset: u64, alignment: u64 },
    /// A data offset below that of the tensor before.
    #[error("tensor `{name}`: data offset {offset} is below that of the tensor before ({previous})")]
    OffsetNotAscending { name: String, offset: u64, previous: u64 },
    /// A tensor that starts inside the one before.
    #[error(
        "tensor `{name}`: data offset {offset} lies inside the tensor before, which ends at {previous_end}"
    )]
    TensorsOverlap { name: String, offset: u64, previous_end: u64 },
    /// A tensor whose bytes are not all in the file.
    #[error(
        "tensor `{name}`: {n_bytes} bytes at data offset {offset} pass the end of the file ({file_len} bytes)"
    )]
    TensorOutsideFile { name: String, offset: u64, n_bytes: u64, file_len: u64 },

    /// A key the caller needs is absent.
    #[error("metadata key `{key}` is missing")]
    MissingKey { key: String },
    /// A key holds another type than the caller needs.
    #[error("metadata key `{key}` is {found}, expected {expected}")]
    WrongType { key: String, expected: &'static str, found: &'static str },
    /// An integer under a key does not fit the type the caller needs.
    #[error("metadata key `{key}`: {found} does not fit {expected}")]
    OutOfRange { key: String, expected: &'static str, found: i128 },
    /// A tensor the caller needs is absent.
    #[error("tensor `{name}` is missing")]
    MissingTensor { name: String },

    /// There is no decoder for this block type.
    #[error("blocks of type {ty} cannot be decoded")]
    UnsupportedType { ty: GgmlType },
    /// Input and output of a decoder disagree, or the input is not whole blocks.
    #[error("{n_bytes} bytes are not {n_elements} elements of {ty}")]
    BlockSizeMismatch { ty: GgmlType, n_bytes: u64, n_elements: u64 },

    /// The bytes handed over pass the length the parser was told.
    #[error("received {found} bytes of a file said to have {file_len}")]
    TooManyBytes { found: u64, file_len: u64 },
    /// The parser has already handed out its result or an error.
    #[error("this header was already parsed, or refused")]
    AlreadyDone,
    /// A slice was read past its end.
    #[error("{needed} bytes at {offset} were wanted from {available}")]
    ShortRead { offset: u64, needed: u64, available: u64 },
    /// The source gave other bytes, or another length, than before.
    #[error("the file changed while it was read ({what})")]
    SourceChanged { what: &'static str },
}

/// Failure of [`Gguf::from_source`](crate::Gguf::from_source): either side can be the cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError<E> {
    /// The bytes could not be read.
    #[error("reading the GGUF header failed")]
    Read(#[source] E),
    /// The bytes are not a valid header.
    #[error(transparent)]
    Gguf(#[from] GgufError),
}
