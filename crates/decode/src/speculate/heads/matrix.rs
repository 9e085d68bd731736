//! The little arithmetic that heads need, on the host.

/// Numbers that are summed side by side, so that the compiler takes vector instructions.
const LANES: usize = 16;

/// A matrix in rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matrix {
    values: Vec<f32>,
    columns: usize,
}

impl Matrix {
    /// Values row after row, `columns` in each.
    pub(crate) fn new(values: Vec<f32>, columns: usize) -> Self {
        Self { values, columns: columns.max(1) }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// A row.
    pub(crate) fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.columns..(index + 1) * self.columns]
    }

    /// The product with a vector.
    pub(crate) fn times(&self, x: &[f32]) -> Vec<f32> {
        self.values.chunks_exact(self.columns).map(|row| dot(row, x)).collect()
    }

    /// The products with several vectors; the matrix is read once.
    pub(crate) fn times_each(&self, xs: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let mut out = vec![Vec::with_capacity(self.rows()); xs.len()];
        for row in self.values.chunks_exact(self.columns) {
            out.iter_mut().zip(xs).for_each(|(out, x)| out.push(dot(row, x)));
        }
        out
    }
}

/// The inner product.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (a, b) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.0.iter().zip(b.0) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f32>() + a.1.iter().zip(b.1).map(|(a, b)| a * b).sum::<f32>()
}

/// `x / (1 + exp(-x))`, value by value.
pub(crate) fn silu(x: &[f32]) -> Vec<f32> {
    x.iter().map(|x| x / (1.0 + (-x).exp())).collect()
}

/// The sum, value by value.
pub(crate) fn add(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// The product, value by value.
pub(crate) fn mul(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

/// `x / sqrt(mean(x²) + eps) · weight`.
pub(crate) fn rms_norm(x: &[f32], weight: &[f32], eps: f32) -> Vec<f32> {
    let scale = 1.0 / (dot(x, x) / x.len().max(1) as f32 + eps).sqrt();
    x.iter().zip(weight).map(|(x, w)| x * scale * w).collect()
}

/// Turns scores into shares that sum to 1.
pub(crate) fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score = (*score - most).exp());
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
}
