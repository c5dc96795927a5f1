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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Few sorts of bytes, so that line ends are frequent.
    fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![3 => Just(b'a'), 1 => Just(b'\n'), 1 => Just(b'\r'), 1 => any::<u8>()];
        prop::collection::vec(byte, 0..200)
    }

    fn pieces<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
    }

    /// The lines of all the bytes at once, as slowly as it pleases.
    fn expected(bytes: &[u8], limit: usize) -> Vec<Line> {
        let line = |raw: &[u8]| {
            if raw.len() > limit {
                return Some(Line::TooLong { bytes: raw.len() as u64 });
            }
            let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
            (!raw.is_empty()).then(|| Line::Whole(raw.to_vec()))
        };
        bytes.split(|byte| *byte == b'\n').filter_map(line).collect()
    }

    proptest! {
        #[test]
        fn lines_are_the_same_in_whatever_pieces_they_come(
            bytes in any_bytes(), limit in 0_usize..40, cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        ) {
            let mut lines = Lines::new(limit);
            let mut got: Vec<Line> = pieces(&bytes, &cuts).into_iter().flat_map(|piece| lines.push(piece)).collect();
            got.extend(lines.finish());
            prop_assert_eq!(got, expected(&bytes, limit));
            prop_assert_eq!(lines.finish(), None);
        }

        #[test]
        fn what_is_held_is_never_more_than_the_limit(
            bytes in any_bytes(), limit in 0_usize..40, cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        ) {
            let mut lines = Lines::new(limit);
            for piece in pieces(&bytes, &cuts) {
                lines.push(piece);
                prop_assert!(lines.begun.capacity() <= limit);
            }
        }
    }

    #[test]
    fn a_line_beyond_the_limit_is_dropped_as_it_arrives_and_counted() {
        let mut lines = Lines::new(LINE_LIMIT);
        let piece = vec![b'x'; 64 << 10];
        for _ in 0..400 {
            assert_eq!(lines.push(&piece), []);
            assert!(lines.begun.capacity() <= LINE_LIMIT);
        }
        assert_eq!(lines.begun.capacity(), 0, "a dropped line is not held");
        let whole = Line::Whole(b"next".to_vec());
        assert_eq!(lines.push(b"\nnext\n"), [Line::TooLong { bytes: 400 * (64 << 10) }, whole]);
    }

    #[test]
    fn a_line_of_the_limit_is_whole_and_one_byte_more_is_too_long() {
        let mut lines = Lines::new(4);
        assert_eq!(lines.push(b"1234\n12345\n"), [Line::Whole(b"1234".to_vec()), Line::TooLong { bytes: 5 }]);
    }

    #[test]
    fn a_last_line_needs_no_line_end_and_a_cr_before_one_is_not_part_of_it() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"{}\r\n\r\n\n{\"a\"\r:1}"), [Line::Whole(b"{}".to_vec())]);
        assert_eq!(lines.finish(), Some(Line::Whole(b"{\"a\"\r:1}".to_vec())));
        assert_eq!(lines.finish(), None);
    }
}
