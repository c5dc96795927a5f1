//! A session told again, for an agent that does not remember it: its conversation was lost, or it comes to a session in
//! which others have worked. Only the end of the transcript fits, and the newest matters most.

use crate::event::{Entry, Event};

/// How much of one entry is told, in bytes.
const ENTRY_BYTES: usize = 2_000;

/// The end of a session in words, at most about `bytes` bytes of it; empty where there is nothing to tell.
pub fn retold(entries: &[Entry], bytes: usize) -> String {
    let mut told = Vec::new();
    let mut left = bytes;
    for words in entries.iter().rev().filter_map(|entry| words_of(&entry.event)) {
        if words.len() > left {
            told.push("(what was before is left out)".to_owned());
            break;
        }
        left -= words.len();
        told.push(words);
    }
    told.reverse();
    told.join("\n")
}

fn words_of(event: &Event) -> Option<String> {
    let (who, words) = match event {
        Event::User { text, by, .. } => (format!("operator {by}"), text.clone()),
        Event::Text { text } => ("agent".to_owned(), text.clone()),
        Event::Tool { name, input, .. } => {
            let line = input.get("command").and_then(|command| command.as_str());
            (name.clone(), line.map_or_else(|| input.to_string(), str::to_owned))
        }
        Event::ToolResult { output, exit_code, .. } => {
            let code =
                exit_code.filter(|code| *code != 0).map_or_else(String::new, |code| format!(", exit code {code}"));
            (format!("output{code}"), output.clone())
        }
        Event::Decision { decision, by, message, .. } => {
            (format!("decided by {by}"), format!("{decision:?} {}", message.as_deref().unwrap_or_default()))
        }
        Event::Error { error } => ("error".to_owned(), error.clone()),
        Event::Cancelled { by } => ("stopped".to_owned(), format!("by {by}")),
        Event::Verb { verb, by, outcome: Some(outcome), exit_code, .. } => {
            (format!("{verb} by {by}"), format!("{outcome:?}, exit code {exit_code:?}"))
        }
        Event::Check { text, .. } => ("checked by the console".to_owned(), text.clone()),
        _ => return None,
    };
    Some(format!("[{who}] {}", shortened(words.trim(), ENTRY_BYTES)))
}

/// The beginning and the end of a text, where its errors mostly stand.
fn shortened(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let half = bytes / 2;
    let head = (0..=half).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let tail = (text.len() - half..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    format!("{} … {}", &text[..head], &text[tail..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        ids::{EntryId, Millis},
        testing::any_log,
    };

    fn entry(id: u64, event: Event) -> Entry {
        Entry { id: EntryId(id), at: Millis(0), event }
    }

    #[test]
    fn a_session_is_told_in_order_with_who_said_what() {
        let log = [
            entry(0, Event::User { text: "what is wrong?".into(), by: "ada".into(), steered: false }),
            entry(1, Event::Text { text: "the disk is full".into() }),
            entry(2, Event::TurnEnd),
        ];
        assert_eq!(retold(&log, 1000), "[operator ada] what is wrong?\n[agent] the disk is full");
    }

    #[test]
    fn the_end_is_what_fits() {
        let log: Vec<_> = (0..50).map(|id| entry(id, Event::Text { text: format!("line {id}") })).collect();
        let told = retold(&log, 100);
        assert!(told.starts_with("(what was before is left out)\n") && told.ends_with("[agent] line 49"), "{told}");
    }

    proptest! {
        #[test]
        fn it_is_never_much_longer_than_asked(log in any_log(), bytes in 0usize..5000) {
            prop_assert!(retold(&log, bytes).len() <= bytes + 100 + log.len());
        }
    }
}
