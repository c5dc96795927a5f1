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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> Partial {
        Partial::MessageStart { message_id: "msg_1".into() }
    }

    fn text(index: u64, text: &str) -> Partial {
        Partial::Text { index, text: text.into() }
    }

    fn any_partial() -> impl Strategy<Value = Partial> {
        let index = 0_u64..3;
        prop_oneof![
            1 => Just(start()),
            1 => index.clone().prop_map(|index| Partial::TextStart { index }),
            4 => (index.clone(), "[a-z]{0,3}").prop_map(|(index, text)| Partial::Text { index, text }),
            1 => index.prop_map(|index| Partial::BlockStop { index }),
            1 => Just(Partial::MessageDelta),
            1 => Just(Partial::MessageStop),
            1 => Just(Partial::Other),
        ]
    }

    proptest! {
        #[test]
        fn the_draft_is_all_the_pieces_of_its_block(pieces in prop::collection::vec(".*", 0..20), index in 0_u64..9) {
            let mut draft = Draft::default();
            draft.take(&start());
            draft.take(&Partial::TextStart { index });
            let mut whole = String::new();
            for piece in &pieces {
                whole.push_str(piece);
                match draft.take(&text(index, piece)) {
                    Change::Draft(shown) => prop_assert_eq!(shown, &whole),
                    Change::None => prop_assert!(piece.is_empty()),
                    Change::Void => prop_assert!(false, "nothing was shown that could be void"),
                }
            }
            prop_assert_eq!(draft.text(), whole);
        }

        /// Who shows what the changes say shows the draft, whatever comes.
        #[test]
        fn the_changes_tell_all_that_happens_to_the_draft(
            partials in prop::collection::vec(any_partial(), 0..40), superseded in prop::collection::vec(any::<bool>(), 40),
        ) {
            let mut draft = Draft::default();
            let mut shown = String::new();
            for (partial, superseded) in partials.iter().zip(superseded) {
                match draft.take(partial) {
                    Change::None => {}
                    Change::Draft(text) => {
                        prop_assert!(!text.is_empty());
                        shown = text.to_owned();
                    }
                    Change::Void => {
                        prop_assert!(!shown.is_empty(), "what is not shown cannot disappear");
                        shown.clear();
                    }
                }
                prop_assert_eq!(draft.text(), &shown);
                if superseded {
                    draft.supersede();
                    shown.clear();
                }
            }
        }
    }

    #[test]
    fn each_text_of_a_message_has_a_draft_of_its_own() {
        let mut draft = Draft::default();
        draft.take(&start());
        draft.take(&Partial::TextStart { index: 0 });
        assert_eq!(draft.take(&text(0, "one")), Change::Draft("one"));
        draft.supersede();
        assert_eq!(draft.take(&Partial::BlockStop { index: 0 }), Change::None);
        assert_eq!(draft.take(&Partial::TextStart { index: 1 }), Change::None);
        assert_eq!(draft.take(&text(1, "t")), Change::Draft("t"));
        assert_eq!(draft.take(&text(1, "wo")), Change::Draft("two"));
    }

    #[test]
    fn a_message_that_stops_before_its_end_takes_its_draft_with_it() {
        let mut draft = Draft::default();
        draft.take(&start());
        draft.take(&text(0, "par"));
        assert_eq!(draft.take(&Partial::BlockStop { index: 0 }), Change::None);
        assert_eq!(draft.take(&Partial::MessageStop), Change::Void);
        assert_eq!(draft.text(), "");
    }

    #[test]
    fn a_message_that_ends_as_it_should_keeps_its_draft_until_the_text_comes() {
        let mut draft = Draft::default();
        draft.take(&start());
        draft.take(&text(0, "whole"));
        draft.take(&Partial::MessageDelta);
        assert_eq!(draft.take(&Partial::MessageStop), Change::None);
        assert_eq!(draft.text(), "whole");
        assert_eq!(draft.take(&start()), Change::Void, "the next message replaces it all the same");
    }

    #[test]
    fn a_message_after_one_that_ended_can_be_void_too() {
        let mut draft = Draft::default();
        for partial in [start(), Partial::MessageDelta, Partial::MessageStop, start(), text(0, "par")] {
            draft.take(&partial);
        }
        assert_eq!(draft.take(&Partial::MessageStop), Change::Void);
    }

    #[test]
    fn a_piece_of_another_block_begins_another_draft_though_its_beginning_was_missed() {
        let mut draft = Draft::default();
        draft.take(&text(0, "one"));
        assert_eq!(draft.take(&text(2, "other")), Change::Draft("other"));
        assert_eq!(draft.take(&text(3, "")), Change::Void);
    }
}
