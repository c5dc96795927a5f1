//! Any bytes, in any pieces: lines, what they say, and the draft that comes of it. And any text within a line of the
//! assistant comes out of it.
//!
//! From `crates/claude-cli`, with the recordings to begin with, after `mkdir -p fuzz/corpus/decode`:
//! `cargo +nightly fuzz run decode fuzz/corpus/decode tests/fixtures -- -max_total_time=60`

#![no_main]

use claude_cli::{
    draft::{Change, Draft},
    lines::{Line, Lines},
    said::{Said, decode},
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|data: &[u8]| {
    let (&[piece, limit], rest) = data.split_first_chunk().unwrap_or((&[0, 0], data));
    read(rest, usize::from(piece) + 1, usize::from(limit) * 256);
    // Long texts only take time.
    a_text_survives(&rest[..rest.len().min(2048)]);
    half_characters_survive(&rest[..rest.len().min(512)]);
});

fn read(bytes: &[u8], piece: usize, limit: usize) {
    let mut lines = Lines::new(limit);
    let mut whole: Vec<Line> = bytes.chunks(piece).flat_map(|piece| lines.push(piece)).collect();
    whole.extend(lines.finish());
    let mut draft = Draft::default();
    let mut shown = String::new();
    for line in whole {
        let line = match line {
            Line::Whole(line) => line,
            Line::TooLong { bytes } => {
                assert!(bytes > limit as u64);
                continue;
            }
        };
        assert!(!line.is_empty() && line.len() <= limit);
        let said = decode(&line);
        assert!(!said.is_empty());
        for said in said {
            match said {
                Said::Partial { parent: None, partial } => match draft.take(&partial) {
                    Change::None => {}
                    Change::Draft(text) => text.clone_into(&mut shown),
                    Change::Void => shown.clear(),
                },
                Said::Text { parent: None, .. } | Said::Finished(_) => {
                    draft.supersede();
                    shown.clear();
                }
                _ => {}
            }
            assert_eq!(shown, draft.text());
        }
    }
}

fn texts(line: &str) -> Vec<String> {
    let text = |said| match said {
        Said::Text { text, .. } | Said::ApiError { text, .. } => Some(text),
        _ => None,
    };
    decode(line.as_bytes()).into_iter().filter_map(text).collect()
}

/// With the bytes as the text and, if they are JSON, as every other field too.
fn a_text_survives(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let odd: Value = serde_json::from_slice(bytes).unwrap_or(Value::Null);
    // The line nests it deeper, and the parser has a limit of 128.
    let odd = if depth(&odd) > 100 { Value::Null } else { odd };
    let line = json!({
        "type": "assistant",
        "message": { "id": odd, "model": odd, "usage": odd, "content": [{ "type": "text", "text": text, "citations": odd }] },
        "parent_tool_use_id": odd,
        "error": odd,
        "is_api_error_message": odd,
        "api_error_status": odd,
    });
    assert_eq!(texts(&line.to_string()), [text]);
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// With the bytes as UTF-16, each unit an escape, as JavaScript writes halves of characters.
fn half_characters_survive(bytes: &[u8]) {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let written: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
    let line = format!(r#"{{"type":"assistant","message":{{"content":"{written}"}}}}"#);
    assert_eq!(texts(&line), [String::from_utf16_lossy(&units)]);
}
