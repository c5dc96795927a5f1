//! Lines out of bytes that arrive in any pieces. It knows nothing of what the lines say.
//!
//! One line of the CLI can be longer than 1 MB (1,002,064 bytes were seen), so there is no small limit; but what a
//! child writes must never cost unbounded memory, so there is one. A line beyond it is dropped while it arrives and
//! reported with its length when it ends.

/// How long a line may be, in bytes, when nobody says otherwise: 16 MiB.
pub const LINE_LIMIT: usize = 16 << 20;

/// One line as it came, without the bytes that end it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// All of it; never empty.
    Whole(Vec<u8>),
    /// It was longer than the limit and is lost.
    TooLong {
        /// Its length in bytes, without the LF.
        bytes: u64,
    },
}

/// Cuts bytes into lines. Empty lines say nothing and are passed over.
#[derive(Debug)]
pub struct Lines {
    limit: usize,
    /// What came of the line that has not ended yet, at most `limit` bytes, in an allocation of at most `limit` bytes.
    begun: Vec<u8>,
    /// How much came of it, once that was too much; `begun` is empty from then on.
    dropped: Option<u64>,
}

impl Default for Lines {
    fn default() -> Lines {
        Lines::new(LINE_LIMIT)
    }
}

impl Lines {
    /// Lines of at most `limit` bytes, a CR before the LF counted, the LF not.
    pub fn new(limit: usize) -> Lines {
        Lines { limit, begun: Vec::new(), dropped: None }
    }

    /// Takes the next bytes and gives the lines that they complete. Each byte is looked at once, however the line is
    /// cut.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(piece) => {
                    self.hold(piece);
                    lines.extend(self.finish());
                }
                None => self.hold(piece),
            }
        }
        lines
    }

    /// Ends the line that has begun: the last line of a stream may come without its LF.
    pub fn finish(&mut self) -> Option<Line> {
        let mut line = std::mem::take(&mut self.begun);
        if let Some(bytes) = self.dropped.take() {
            return Some(Line::TooLong { bytes });
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        (!line.is_empty()).then_some(Line::Whole(line))
    }

    fn hold(&mut self, piece: &[u8]) {
        if let Some(bytes) = &mut self.dropped {
            *bytes += piece.len() as u64;
            return;
        }
        let length = self.begun.len() + piece.len();
        if length > self.limit {
            self.begun = Vec::new();
            self.dropped = Some(length as u64);
            return;
        }
        if length > self.begun.capacity() {
            // A vector left to itself doubles past the limit.
            let room = length.next_power_of_two().min(self.limit);
            self.begun.reserve_exact(room - self.begun.len());
        }
        self.begun.extend_from_slice(piece);
    }
}
