//! Just enough of WGSL's lexical grammar to find where a declaration or statement ends.

/// What a token is; punctuation is one byte each, so `&&` is two tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or keyword.
    Word,
    /// A numeric literal, with its suffix.
    Number,
    /// One byte of punctuation.
    Punct(u8),
}

/// A token as a byte range of the scanned text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// What it is.
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Token {
    /// True for this one punctuation byte.
    pub(super) fn is(&self, byte: u8) -> bool {
        self.kind == Kind::Punct(byte)
    }

    /// The token's text.
    pub(super) fn text<'a>(&self, source: &'a str) -> &'a str {
        source.get(self.start..self.end).unwrap_or("")
    }
}

/// Overwrites comments with spaces and keeps every newline, so that byte offsets and line numbers stay true.
pub(super) fn blank_comments(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut i = 0;
    while i < bytes.len() {
        let pair = (bytes[i], bytes.get(i + 1).copied().unwrap_or(0));
        let end = match pair {
            (b'/', b'/') => bytes[i..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |n| i + n),
            (b'/', b'*') => block_comment_end(bytes, i),
            _ => {
                i += 1;
                continue;
            }
        };
        blank(&mut out, i..end);
        i = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Overwrites a range with spaces, newlines excepted.
pub(super) fn blank(bytes: &mut [u8], range: std::ops::Range<usize>) {
    for b in &mut bytes[range] {
        if *b != b'\n' {
            *b = b' ';
        }
    }
}

/// Splits text without comments into tokens.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let bytes = source.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let start = i;
        let kind = match bytes[i] {
            b if b.is_ascii_whitespace() => {
                i += 1;
                continue;
            }
            b if b.is_ascii_digit() => Kind::Number,
            b if is_word(b) => Kind::Word,
            b => Kind::Punct(b),
        };
        i += 1;
        match kind {
            Kind::Word => i += bytes[i..].iter().take_while(|&&b| is_word(b)).count(),
            Kind::Number => i += bytes[i..].iter().take_while(|&&b| is_word(b) || b == b'.').count(),
            Kind::Punct(_) => {}
        }
        out.push(Token { kind, start, end: i });
    }
    out
}

/// Index one past the declaration or statement that begins at token `from`: after a `;` or a closing `}` (an `else`
/// goes with its `if`). `None` if the surrounding bracket closes first.
pub(super) fn statement_end(source: &str, tokens: &[Token], from: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(from) {
        match token.kind {
            Kind::Punct(b'(' | b'[' | b'{') => depth += 1,
            Kind::Punct(b')' | b']' | b'}') => {
                depth = depth.checked_sub(1)?;
                let continues = tokens.get(i + 1).is_some_and(|t| t.text(source) == "else");
                if depth == 0 && token.is(b'}') && !continues {
                    return Some(i + 1);
                }
            }
            Kind::Punct(b';') if depth == 0 => return Some(i + 1),
            _ => {}
        }
    }
    None
}

/// Index one past the struct member or parameter that begins at token `from`: after its `,`, or before the bracket
/// that closes the list.
pub(super) fn list_item_end(tokens: &[Token], from: usize) -> Option<usize> {
    let (mut depth, mut angle) = (0usize, 0usize);
    for (i, token) in tokens.iter().enumerate().skip(from) {
        match token.kind {
            Kind::Punct(b'(' | b'[' | b'{') => depth += 1,
            Kind::Punct(b')' | b']' | b'}') if depth == 0 => return (i > from).then_some(i),
            Kind::Punct(b')' | b']' | b'}') => depth -= 1,
            Kind::Punct(b'<') => angle += 1,
            Kind::Punct(b'>') => angle = angle.saturating_sub(1),
            Kind::Punct(b',') if depth == 0 && angle == 0 => return Some(i + 1),
            _ => {}
        }
    }
    None
}

/// Index one past the bracket that matches the opening one at token `open`.
pub(super) fn group_end(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Punct(b'(' | b'[' | b'{') => depth += 1,
            Kind::Punct(b')' | b']' | b'}') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(i + 1);
                }
            }
            _ => {}
        }
    }
    None
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0usize;
    let mut i = start;
    while i + 1 < bytes.len() {
        match &bytes[i..i + 2] {
            b"/*" => {
                depth += 1;
                i += 2;
            }
            b"*/" => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    bytes.len()
}
