//! The rules of a session's log: ids start at 0 and have no gaps, and the first prompt names the session. The log itself
//! (memory, disk) is the server's.

use serde::{Deserialize, Serialize};

use crate::{event::Event, ids::EntryId};

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
    /// The first prompt's first line, cut to [`TITLE_CHARS`] characters.
    pub title: Option<String>,
}

/// How much of the first prompt becomes the session's title.
pub const TITLE_CHARS: usize = 60;

impl Summary {
    /// Takes the next event in and says which id it has.
    pub fn append(&mut self, event: &Event) -> EntryId {
        let id = self.head.next();
        self.head = Head(Some(id));
        if let (Event::User { text, .. }, None) = (event, &self.title) {
            self.title = Some(title_of(text));
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
                prop_assert_eq!(summary.append(event), EntryId(place as u64));
            }
            prop_assert_eq!(summary.head, Head::of_len(events.len() as u64));
        }

        #[test]
        fn a_title_is_never_longer_than_its_limit(text in any::<String>()) {
            prop_assert!(title_of(&text).chars().count() <= TITLE_CHARS + 1);
        }
    }
}
