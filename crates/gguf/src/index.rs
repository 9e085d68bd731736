/// Positions of a list sorted by name: 4 bytes an entry, against some 50 for a hash map with its own copy of the
/// names, and neither random nor steerable by the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct NameIndex {
    sorted: Vec<u32>,
}

impl NameIndex {
    /// Sorts the positions `0..n`, or gives a position whose name occurs twice.
    pub(crate) fn new<'a>(n: usize, name: impl Fn(u32) -> &'a [u8]) -> Result<Self, u32> {
        let mut sorted: Vec<u32> = (0u32..).take(n).collect();
        sorted.sort_unstable_by(|&a, &b| name(a).cmp(name(b)));
        let mut pairs = sorted.iter().zip(sorted.iter().skip(1));
        match pairs.find(|&(&a, &b)| name(a) == name(b)) {
            Some((a, b)) => Err(*a.max(b)),
            None => Ok(Self { sorted }),
        }
    }

    /// Position of `wanted`.
    pub(crate) fn find<'a>(&self, wanted: &[u8], name: impl Fn(u32) -> &'a [u8]) -> Option<usize> {
        let found = self.sorted.binary_search_by(|&i| name(i).cmp(wanted)).ok()?;
        usize::try_from(*self.sorted.get(found)?).ok()
    }
}
