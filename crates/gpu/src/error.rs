//! What can go wrong between the engine and a device.

/// A device refused, failed or went away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// No adapter matches the request.
    #[error("no adapter matches `{requested}`; found: {}", if found.is_empty() { "none".into() } else { found.join(", ") })]
    NoAdapter {
        /// What was asked for.
        requested: String,
        /// Names of the adapters that exist.
        found: Vec<String>,
    },
    /// The adapter would not give a device.
    #[error("adapter `{adapter}` gave no device: {reason}")]
    DeviceRefused {
        /// Adapter name.
        adapter: String,
        /// The driver's words.
        reason: String,
    },
    /// Memory ran out.
    #[error("out of GPU memory while allocating {needed} bytes for {label}")]
    OutOfMemory {
        /// What the buffer is for.
        label: String,
        /// Bytes asked for.
        needed: u64,
    },
    /// A buffer larger than the device can make.
    #[error("{label} needs a buffer of {needed} bytes, the device allows {limit}")]
    BufferTooLarge {
        /// What the buffer is for.
        label: String,
        /// Bytes asked for.
        needed: u64,
        /// The device's limit.
        limit: u64,
    },
    /// A binding larger than the device can show a shader.
    #[error("a binding of {needed} bytes for shader {shader}, the device allows {limit}")]
    BindingTooLarge {
        /// Shader variant.
        shader: &'static str,
        /// Bytes bound.
        needed: u64,
        /// The device's limit.
        limit: u64,
    },
    /// A shader needs a feature that the device lacks.
    #[error("shader {shader} needs {feature}, which this device lacks")]
    MissingFeature {
        /// Shader variant.
        shader: &'static str,
        /// Feature name.
        feature: &'static str,
    },
    /// A dispatch does not fit its shader: wrong number of bindings, or a grid beyond WebGPU's 65,535.
    #[error("dispatch of {shader}: {reason}")]
    BadDispatch {
        /// Shader variant.
        shader: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// A byte range that is misaligned or leaves its buffer.
    #[error("range {offset}+{size} does not fit a buffer of {len} bytes (multiples of 4 only)")]
    BadRange {
        /// First byte.
        offset: u64,
        /// Length.
        size: u64,
        /// Buffer length.
        len: u64,
    },
    /// The API rejected a call: a bug in this project or in the driver.
    #[error("the GPU API rejected a call: {message}")]
    Validation {
        /// The API's words.
        message: String,
    },
    /// The device is gone; nothing it held survives. Open a new one and try again.
    #[error("the GPU device was lost: {reason}")]
    Lost {
        /// The driver's words.
        reason: String,
    },
    /// The device did not finish in time.
    #[error("the GPU did not answer within {seconds} s")]
    Stalled {
        /// How long was waited.
        seconds: u64,
    },
}

impl GpuError {
    /// Whether the device that reported this can still be used.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Stalled { .. } | Self::Validation { .. })
    }
}
