//! What the CLI is writing: no text is lost, and a draft is the text that comes or is void.

use super::*;

/// A second reader, as plain as can be: it trusts that the lines are what they are in these files.
fn texts_by_hand(name: &str) -> Vec<String> {
    let lines = String::from_utf8(raw(name)).unwrap();
    let mut texts = Vec::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(&line.replace("\\ud83d", "\\ufffd")).unwrap();
        if line["type"] == "assistant" {
            let blocks = line["message"]["content"].as_array().unwrap();
            texts.extend(blocks.iter().filter_map(|block| block["text"].as_str()).map(str::to_owned));
        }
    }
    texts
}

#[test]
fn no_text_of_the_assistant_is_lost() {
    for name in names() {
        let said = said(&name);
        let text = |said: &Said| match said {
            Said::Text { text, .. } | Said::ApiError { text, .. } => Some(text.clone()),
            _ => None,
        };
        assert_eq!(said.iter().filter_map(text).collect::<Vec<_>>(), texts_by_hand(&name), "{name}");
    }
}

#[test]
fn a_draft_is_the_text_that_comes_or_is_void() {
    let mut superseded = 0;
    for name in names() {
        let mut draft = Draft::default();
        for said in said(&name) {
            match said {
                Said::Partial { parent: None, partial } => {
                    draft.take(&partial);
                }
                Said::Text { parent: None, text, .. } => {
                    if !draft.text().is_empty() {
                        assert_eq!(draft.text(), text, "{name}");
                        superseded += 1;
                    }
                    draft.supersede();
                }
                Said::Finished(_) => assert_eq!(draft.text(), "", "{name} leaves a draft behind"),
                _ => {}
            }
        }
    }
    assert!(superseded >= 5, "the recordings hold drafts that became texts");
}

#[test]
fn the_draft_of_a_stream_that_broke_off_disappears_before_the_text_comes() {
    for name in ["sse_error", "stall"] {
        let mut draft = Draft::default();
        let mut seen = Vec::new();
        for said in said(name) {
            match said {
                Said::Partial { partial, .. } => match draft.take(&partial) {
                    Change::None => {}
                    Change::Draft(_) => seen.push("draft"),
                    Change::Void => seen.push("void"),
                },
                Said::Text { .. } => seen.push("text"),
                _ => {}
            }
        }
        assert_eq!(seen, ["draft", "draft", "void", "text"], "{name}");
    }
}

/// The CLI asks the model to go on where the block before ended, and does so three times.
#[test]
fn a_block_that_came_whole_stays_when_the_next_one_breaks_off() {
    let said = said("sse_error_late");
    assert_eq!(texts(&said), ["first"; 4]);
    let id = |said: &Said| if let Said::Text { message_id, .. } = said { Some(message_id.clone()) } else { None };
    assert_eq!(said.iter().filter_map(id).collect::<BTreeSet<_>>().len(), 4);
}
