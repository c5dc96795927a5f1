//! The text that is being written, put together from its pieces. It is shown while it grows and never recorded: the
//! whole text comes as [`Said::Text`](crate::said::Said::Text), and what was drafted can turn out void.
//!
//! ```text
//! message_start ─ block_start ─ text… ─ (Said::Text) ─ block_stop ─ block_start ─ … ─ message_delta ─ message_stop
//!                               draft    supersedes                  the next draft
//! message_start ─ block_start ─ text… ─ block_stop ─ message_stop ─ message_start ─ …        a stream that broke off
//!                               draft                 void
//! ```

use crate::said::Partial;

/// The text block of the main conversation that is in progress. Pieces of sub-agents must not get in here: they
/// interleave with the main conversation's.
#[derive(Debug, Default)]
pub struct Draft {
    text: String,
    /// The block that `text` is of.
    block: Option<u64>,
    /// Whether the message has ended as it should, so that its text is still to be relied on.
    complete: bool,
}

/// What a piece did to what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// Nothing.
    None,
    /// This is the draft now, all of it.
    Draft(&'a str),
    /// What was shown is to disappear.
    Void,
}

impl Draft {
    /// Takes the next piece. The cost is that of the piece, not of the draft.
    pub fn take(&mut self, partial: &Partial) -> Change<'_> {
        match partial {
            Partial::MessageStart { .. } => {
                self.complete = false;
                self.void()
            }
            Partial::TextStart { index } => {
                let change = self.void();
                self.block = Some(*index);
                change
            }
            Partial::Text { index, text } => {
                // Pieces of a block whose beginning was not seen are all there is to show of it.
                let change = if self.block == Some(*index) { Change::None } else { self.void() };
                self.block = Some(*index);
                self.text.push_str(text);
                if text.is_empty() { change } else { Change::Draft(&self.text) }
            }
            Partial::MessageDelta => {
                self.complete = true;
                Change::None
            }
            Partial::MessageStop if self.complete => Change::None,
            Partial::MessageStop => self.void(),
            // A block that stops has either been superseded already, or the message may yet be void.
            Partial::BlockStop { .. } | Partial::Other => Change::None,
        }
    }

    /// Says that the text came whole, or that the turn is over, so that there is no draft any more.
    pub fn supersede(&mut self) {
        self.text.clear();
        self.block = None;
    }

    /// The draft as it stands, empty when there is none.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn void(&mut self) -> Change<'static> {
        let change = if self.text.is_empty() { Change::None } else { Change::Void };
        self.supersede();
        change
    }
}
