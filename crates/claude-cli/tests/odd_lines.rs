//! Lines as nobody expects them: decoding never panics, never says nothing, and never loses a text.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;

use claude_cli::said::{Said, decode};
use proptest::{prelude::*, sample::Index};
use serde_json::{Map, Value, json};

/// All lines of all recordings, the very long ones apart: mutating them only takes time.
fn recorded() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let recordings = paths.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let lines = recordings.flat_map(|path| {
        let bytes = fs::read(path).unwrap();
        bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()
    });
    lines.filter(|line| (1..8_000).contains(&line.len())).collect()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("1e400")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Where a value has values in it.
fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    places.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| places_in(value, at, key, places)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| places_in(value, at, &index.to_string(), places));
        }
        _ => {}
    }
}

fn places_in(value: &Value, at: &str, key: &str, found: &mut Vec<String>) {
    places(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
}

/// The texts that a reader must be shown.
fn texts(said: Vec<Said>) -> Vec<String> {
    let text = |said| match said {
        Said::Text { text, .. } | Said::ApiError { text, .. } => Some(text),
        _ => None,
    };
    said.into_iter().filter_map(text).collect()
}

/// JSON of an object whose keys come in an order of their own: `serde_json` sorts them.
fn in_order(fields: &[(String, Value)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{}:{value}", Value::from(&**key))).collect();
    format!("{{{}}}", fields.join(","))
}

/// Every character as an escape, the ones beyond 16 bits as two.
fn escaped(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

proptest! {
    #[test]
    fn any_bytes_say_something(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!decode(&bytes).is_empty());
    }

    #[test]
    fn any_json_says_something(value in any_json()) {
        let said = decode(value.to_string().as_bytes());
        prop_assert_eq!(said.contains(&Said::Malformed), !value.is_object());
        prop_assert!(!said.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_recorded_line_with_bytes_gone_or_changed_says_something(
        line in prop::sample::select(recorded()),
        changes in prop::collection::vec((any::<Index>(), prop::option::of(any::<u8>())), 1..6),
    ) {
        let mut line = line;
        for (at, byte) in changes {
            let at = at.index(line.len().max(1));
            match byte {
                Some(byte) if at < line.len() => line[at] = byte,
                _ if at < line.len() => drop(line.remove(at)),
                _ => {}
            }
        }
        prop_assert!(!decode(&line).is_empty());
    }

    #[test]
    fn a_recorded_line_with_values_of_other_types_says_something(
        line in prop::sample::select(recorded()),
        changes in prop::collection::vec((any::<Index>(), any_json()), 1..4),
    ) {
        // One recording has a line that is not quite JSON; it is not of interest here.
        let Ok(mut value) = serde_json::from_slice::<Value>(&line) else { return Ok(()) };
        for (at, other) in changes {
            let mut found = Vec::new();
            places(&value, "", &mut found);
            *value.pointer_mut(&found[at.index(found.len())]).unwrap() = other;
        }
        let said = decode(value.to_string().as_bytes());
        prop_assert_eq!(said.contains(&Said::Malformed), !value.is_object());
        prop_assert!(!said.is_empty());
    }

    /// Other fields than those that make it a text may hold anything.
    #[test]
    fn a_text_of_the_assistant_survives_whatever_else_is_in_its_line(
        wanted in prop::collection::vec(".{0,40}", 0..4),
        as_one in any::<bool>(),
        block_extra in any_json(),
        odd in prop::collection::vec(any_json(), 12),
        order in Just((0..12).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let one = |text: &String| json!({ "citations": block_extra, "text": text, "type": "text" });
        let content = match &*wanted {
            [text] if as_one => json!(text),
            texts => texts.iter().map(one).collect(),
        };
        let mut message = Map::new();
        for (key, value) in ["id", "model", "role", "usage", "stop_reason"].iter().zip(&odd) {
            message.insert((*key).into(), value.clone());
        }
        message.insert("content".into(), content);
        let names = ["parent_tool_use_id", "uuid", "error", "is_api_error_message", "api_error_status", "isReplay"];
        let mut fields = vec![("type".to_owned(), json!("assistant")), ("message".to_owned(), message.into())];
        fields.extend(names.iter().zip(odd.iter().skip(5)).map(|(name, value)| ((*name).to_owned(), value.clone())));
        let ordered: Vec<_> = order.iter().filter_map(|at| fields.get(*at).cloned()).collect();
        prop_assert_eq!(texts(decode(in_order(&ordered).as_bytes())), wanted);
    }

    #[test]
    fn a_text_survives_with_every_character_escaped_and_halves_of_pairs_in_between(
        parts in prop::collection::vec(("\\PC{0,6}", prop::option::of(0xd800_u16..0xe000)), 1..6),
    ) {
        let mut written = String::new();
        let mut units = Vec::new();
        for (text, half) in &parts {
            written.push_str(&escaped(text));
            units.extend(text.encode_utf16());
            if let Some(half) = half {
                written.push_str(&format!("\\u{half:04X}"));
                units.push(*half);
            }
        }
        let line = format!(r#"{{"type":"assistant","message":{{"content":[{{"type":"text","text":"{written}"}}]}}}}"#);
        prop_assert_eq!(texts(decode(line.as_bytes())), vec![String::from_utf16_lossy(&units)]);
    }
}

#[test]
fn what_is_no_object_is_malformed() {
    for line in ["", " ", "null", "[]", "\"text\"", "{", "Killed", "{\"type\":\"assistant\""] {
        assert_eq!(decode(line.as_bytes()), [Said::Malformed], "{line:?}");
    }
}

#[test]
fn a_kind_that_is_not_known_is_named_but_not_at_any_length() {
    let kind = |line: Value| match &*decode(line.to_string().as_bytes()) {
        [Said::Other { kind }] => kind.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(json!({"type": "rate_limit_event", "rate_limit_info": {}})), "rate_limit_event");
    assert_eq!(kind(json!({"type": "system", "subtype": "compact_boundary"})), "system/compact_boundary");
    assert_eq!(kind(json!({"type": "assistant", "message": {"content": []}})), "assistant");
    assert_eq!(kind(json!({})), "untyped");
    assert_eq!(kind(json!({"type": "x".repeat(1000), "subtype": "y".repeat(1000)})).len(), 161);
}

#[test]
fn bytes_that_are_not_utf_8_cost_themselves_and_no_line() {
    let mut line = json!({"type": "assistant", "message": {"content": "before # after"}}).to_string().into_bytes();
    *line.iter_mut().find(|byte| **byte == b'#').unwrap() = 0xff;
    assert_eq!(texts(decode(&line)), ["before \u{fffd} after"]);
}

#[test]
fn several_blocks_of_a_line_are_several_things() {
    let said = decode(
        json!({"type": "assistant", "message": {"id": "m", "content": [
            "bare",
            {"type": "text", "text": "one"},
            {"type": "thinking", "thinking": "…"},
            {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "id"}},
        ]}})
        .to_string()
        .as_bytes(),
    );
    let text = |text: &str| Said::Text { message_id: "m".into(), text: text.into(), parent: None };
    let tool = Said::Tool { tool_id: "t".into(), name: "Bash".into(), input: json!({"command": "id"}), parent: None };
    assert_eq!(said, [text("bare"), text("one"), Said::Other { kind: "assistant/thinking".into() }, tool]);
}

#[test]
fn what_a_tool_gave_is_not_mistaken_for_the_result_of_another_in_the_same_line() {
    let block = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "<persisted-output>…"});
    let own = json!({"stdout": "long ".repeat(10), "persistedOutputPath": "/whole"});
    let line = json!({"type": "user", "message": {"content": [block("a"), block("b")]}, "tool_use_result": own});
    for said in decode(line.to_string().as_bytes()) {
        let Said::ToolResult(result) = said else { panic!("{said:?}") };
        assert_eq!((&*result.output, result.truncated, result.whole), ("<persisted-output>…", true, None));
    }
}

#[test]
fn numbers_that_are_absent_or_odd_are_read_as_well_as_they_can_be() {
    let retry = |line: Value| match decode(line.to_string().as_bytes()).remove(0) {
        Said::Retry { attempt, max, delay_ms, status, .. } => (attempt, max, delay_ms, status),
        other => panic!("{other:?}"),
    };
    let line = json!({"type": "system", "subtype": "api_retry", "attempt": "2", "max_retries": -1,
        "retry_delay_ms": 577.9, "error_status": 70_000});
    assert_eq!(retry(line), (2, 0, 577, None));
    assert_eq!(retry(json!({"type": "system", "subtype": "api_retry"})), (0, 0, 0, None));
}

#[test]
fn a_turn_that_does_not_say_how_it_went_is_a_success_only_by_its_subtype() {
    let is_error = |line: Value| match decode(line.to_string().as_bytes()).remove(0) {
        Said::Finished(end) => end.is_error,
        other => panic!("{other:?}"),
    };
    assert!(is_error(json!({"type": "result"})));
    assert!(!is_error(json!({"type": "result", "subtype": "success"})));
    assert!(is_error(json!({"type": "result", "subtype": "success", "is_error": true})));
    assert!(is_error(json!({"type": "result", "subtype": "error_max_turns", "is_error": "odd"})));
}

#[test]
fn a_request_that_could_not_be_answered_is_none() {
    let ask = json!({"type": "control_request", "request": {"subtype": "can_use_tool", "tool_name": "Bash"}});
    assert_eq!(decode(ask.to_string().as_bytes()), [Said::Other { kind: "control_request/can_use_tool".into() }]);
    let hook = json!({"type": "control_request", "request_id": "r", "request": {"subtype": "hook_callback"}});
    let other = Said::OtherRequest { request_id: "r".into(), subtype: "hook_callback".into() };
    assert_eq!(decode(hook.to_string().as_bytes()), [other]);
}

/// All that were recorded say so themselves; an older CLI may not.
#[test]
fn a_message_of_the_clis_own_is_an_error_unless_it_says_that_it_is_none() {
    let said = |flag: Value| {
        let message = json!({"id": "m", "model": "<synthetic>", "content": [{"type": "text", "text": "t"}]});
        let line = json!({"type": "assistant", "message": message, "is_api_error_message": flag});
        decode(line.to_string().as_bytes()).remove(0)
    };
    assert_eq!(said(Value::Null), Said::ApiError { text: "t".into(), kind: "unknown".into(), status: None });
    assert_eq!(said(json!(false)), Said::Text { message_id: "m".into(), text: "t".into(), parent: None });
}
