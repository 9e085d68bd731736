//! The byte-level alphabet: every byte written as one printable character, as GPT-2's vocabularies are.

/// The byte that `c` stands for, if `c` is in the alphabet.
pub(crate) fn byte_of(c: char) -> Option<u8> {
    // Printable Latin-1 stands for itself; the 68 other bytes follow U+00FF in order: 0x00..=0x20, 0x7F..=0xA0, 0xAD.
    match u32::from(c) {
        c @ (0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF) => u8::try_from(c).ok(),
        c @ 0x100..=0x120 => u8::try_from(c - 0x100).ok(),
        c @ 0x121..=0x142 => u8::try_from(c - 0x121 + 0x7F).ok(),
        0x143 => Some(0xAD),
        _ => None,
    }
}

/// Appends the bytes that `piece` stands for to `out`. On `false` the piece is not byte-level text; `out` is as it was.
pub(crate) fn decode_into(piece: &[u8], out: &mut Vec<u8>) -> bool {
    let Ok(text) = std::str::from_utf8(piece) else { return false };
    let len = out.len();
    for c in text.chars() {
        let Some(byte) = byte_of(c) else {
            out.truncate(len);
            return false;
        };
        out.push(byte);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::byte_of;

    #[test]
    fn the_alphabet_names_every_byte_once() {
        let mut seen = [0; 256];
        for byte in ('\0'..='\u{200}').filter_map(byte_of) {
            seen[usize::from(byte)] += 1;
        }
        assert_eq!(seen, [1; 256]);
        assert_eq!((byte_of('Ġ'), byte_of('Ċ'), byte_of(' ')), (Some(b' '), Some(b'\n'), None));
    }
}
