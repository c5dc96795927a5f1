//! Where a client that attaches begins to read. Pure: cursor and head in, starting place out.

use crate::{ids::EntryId, log::Head};

/// What a client said about where it is. Texts, because a cursor that is no number counts as none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The `Last-Event-ID` header, which a reconnecting browser sends by itself. It wins.
    pub last_event_id: Option<&'a str>,
    /// The `after` query parameter.
    pub after: Option<&'a str>,
    /// The `tail` query parameter: begin this many entries before the end, if there is no cursor.
    pub tail: Option<&'a str>,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The first entry to send.
    pub from: EntryId,
    /// True when the client's cursor lies past the head: its record is of another log, it must begin anew.
    pub reset: bool,
}

/// Decides where a client begins.
pub fn start(asked: Asked<'_>, head: Head) -> Start {
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<u64>().ok());
    match number(asked.last_event_id).or_else(|| number(asked.after)) {
        Some(cursor) if cursor >= head.len() => Start { from: EntryId(0), reset: true },
        Some(cursor) => Start { from: EntryId(cursor + 1), reset: false },
        None => {
            let tail = number(asked.tail).unwrap_or(u64::MAX);
            Start { from: EntryId(head.len().saturating_sub(tail)), reset: false }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: Option<&str>, after: Option<&str>, tail: Option<&str>, len: u64) -> (u64, bool) {
        let start = start(Asked { last_event_id: last, after, tail }, Head::of_len(len));
        (start.from.0, start.reset)
    }

    #[test]
    fn a_cursor_begins_after_itself_and_the_header_wins() {
        assert_eq!(at(None, None, None, 10), (0, false));
        assert_eq!(at(Some("3"), None, None, 10), (4, false));
        assert_eq!(at(Some("3"), Some("7"), Some("1"), 10), (4, false));
        assert_eq!(at(None, Some("9"), None, 10), (10, false));
    }

    #[test]
    fn a_tail_begins_that_many_entries_before_the_end() {
        assert_eq!(at(None, None, Some("4"), 10), (6, false));
        assert_eq!(at(None, None, Some("40"), 10), (0, false));
        assert_eq!(at(None, None, Some("0"), 10), (10, false));
    }

    #[test]
    fn a_cursor_past_the_head_resets() {
        assert_eq!(at(Some("10"), None, None, 10), (0, true));
        assert_eq!(at(Some("0"), None, None, 0), (0, true));
        assert_eq!(at(Some("18446744073709551615"), None, None, 10), (0, true));
    }

    #[test]
    fn a_cursor_that_is_no_number_counts_as_none() {
        for strange in ["", "x", "-1", "1.5", "1e3", "18446744073709551616", "\u{0}", "٣"] {
            assert_eq!(at(Some(strange), None, None, 10), (0, false), "{strange:?}");
            assert_eq!(at(Some(strange), Some("4"), None, 10), (5, false), "{strange:?}");
        }
    }
}
