//! The rules of a session's log: ids start at 0 and have no gaps, and a turn that was opened is closed. The log itself
//! (memory, disk) is the server's.

use serde::{Deserialize, Serialize};

use crate::{
    event::Event,
    ids::{EntryId, Millis},
};

/// Where a log ends: the id of its newest entry, or nothing while it is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Head(pub Option<EntryId>);

impl Head {
    /// The id that the next entry gets. This is the only way in which an id is made.
    pub fn next(self) -> EntryId {
        EntryId(self.len())
    }

    /// How many entries there are, which is the same number.
    pub fn len(self) -> u64 {
        self.0.map_or(0, |id| id.0 + 1)
    }

    /// True for a log in which nothing happened yet.
    pub fn is_empty(self) -> bool {
        self.0.is_none()
    }

    /// The head of a log with this many entries.
    pub fn of_len(len: u64) -> Self {
        Head(len.checked_sub(1).map(EntryId))
    }
}

/// What has to be remembered of a log in order to append to it and to list it: kept by applying each event once, in
/// order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Where the log ends.
    pub head: Head,
    /// True between a turn's `user` entry and its `turn_end`.
    pub turn_open: bool,
    /// The first prompt's first line, cut to [`TITLE_CHARS`] characters.
    pub title: Option<String>,
    /// When the newest entry was logged.
    pub last_at: Option<Millis>,
}

/// How much of the first prompt becomes the session's title.
pub const TITLE_CHARS: usize = 60;

impl Summary {
    /// Takes the next event in and says which id it has.
    pub fn append(&mut self, event: &Event, at: Millis) -> EntryId {
        let id = self.head.next();
        self.head = Head(Some(id));
        self.last_at = Some(at);
        match event {
            Event::User { text, .. } => {
                self.turn_open = true;
                if self.title.is_none() {
                    self.title = Some(title_of(text));
                }
            }
            Event::TurnEnd => self.turn_open = false,
            _ => {}
        }
        id
    }
}

fn title_of(prompt: &str) -> String {
    let line = prompt.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let mut title: String = line.chars().take(TITLE_CHARS).collect();
    if line.chars().count() > TITLE_CHARS {
        title.push('…');
    }
    title
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::any_event;

    proptest! {
        #[test]
        fn ids_start_at_zero_and_have_no_gaps(events in prop::collection::vec(any_event(), 0..50)) {
            let mut summary = Summary::default();
            for (place, event) in events.iter().enumerate() {
                prop_assert_eq!(summary.append(event, Millis(0)), EntryId(place as u64));
            }
            prop_assert_eq!(summary.head, Head::of_len(events.len() as u64));
        }

        #[test]
        fn a_title_is_never_longer_than_its_limit(text in any::<String>()) {
            prop_assert!(title_of(&text).chars().count() <= TITLE_CHARS + 1);
        }
    }
}
