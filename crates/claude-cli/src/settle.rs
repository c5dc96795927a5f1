//! Which conversation a turn gets, settled by what the CLI answers: a process that ended before its turn began says why
//! on its standard error, and for some reasons another way is open.

use crate::argv::{Conversation, Protocol};

/// One way to begin a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How the CLI is talked to.
    pub protocol: Protocol,
    /// In which conversation.
    pub conversation: Conversation,
}

/// The next way to try after `attempt` ended before its turn began, with these last words; nothing where no other way
/// leads further. `fresh` is a UUID that no conversation has.
///
/// After the CLI's own words (fixtures `session_id_in_use` and `resume_unknown`); an option that it does not know is
/// reported by its parser as `error: unknown option '--…'`.
pub fn next(attempt: &Attempt, words: &str, fresh: &str) -> Option<Attempt> {
    let with = |conversation| Some(Attempt { conversation, ..attempt.clone() });
    match &attempt.conversation {
        _ if attempt.protocol == Protocol::Control && lacks_protocol(words) => {
            Some(Attempt { protocol: Protocol::Once, ..attempt.clone() })
        }
        // Its first prompt is on the CLI's record, even if that turn failed.
        Conversation::Open(id) if words.contains("is already in use") => with(Conversation::Resume(id.clone())),
        // The id may be half taken, so that it can be neither resumed nor opened: it is not tried again.
        Conversation::Resume(id) if words.contains("No conversation found") && id != fresh => {
            with(Conversation::Open(fresh.to_owned()))
        }
        _ => None,
    }
}

fn lacks_protocol(words: &str) -> bool {
    let of_the_protocol = ["--input-format", "--permission-prompt-tool", "--include-partial-messages"];
    words.contains("unknown option") && of_the_protocol.iter().any(|option| words.contains(option))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(conversation: Conversation) -> Attempt {
        Attempt { protocol: Protocol::Control, conversation }
    }

    #[test]
    fn an_id_in_use_is_resumed_and_a_lost_conversation_is_opened_anew() {
        let open = control(Conversation::Open("a".into()));
        let in_use = "Error: Session ID a is already in use.\n";
        let resume = next(&open, in_use, "b").unwrap();
        assert_eq!(resume, control(Conversation::Resume("a".into())));
        let lost = "No conversation found with session ID: a\n";
        assert_eq!(next(&resume, lost, "b"), Some(control(Conversation::Open("b".into()))));
    }

    #[test]
    fn it_does_not_go_round_in_circles() {
        let mut attempt = control(Conversation::Resume("a".into()));
        let words = "No conversation found with session ID: a, which is already in use";
        for _ in 0..3 {
            match next(&attempt, words, "b") {
                Some(further) => attempt = further,
                None => return,
            }
        }
        panic!("still trying: {attempt:?}");
    }

    #[test]
    fn a_cli_without_the_protocol_is_run_once_per_turn_and_other_failures_end_it() {
        let open = control(Conversation::Open("a".into()));
        let once = next(&open, "error: unknown option '--input-format'\n", "b").unwrap();
        assert_eq!(once, Attempt { protocol: Protocol::Once, ..open.clone() });
        assert_eq!(next(&once, "error: unknown option '--agents'", "b"), None);
        assert_eq!(next(&open, "--agent 'breakglass' not found", "b"), None);
    }
}
