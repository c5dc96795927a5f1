//! Generators of arbitrary logs, for the property tests of this crate.

use proptest::prelude::*;

use crate::{
    event::{Entry, Event, Level},
    figure::Figure,
    ids::{EntryId, Millis},
    permission::Decision,
    verb::{Outcome, Verb},
};

/// Text with everything in it that has ever broken a line protocol.
pub(crate) fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        Just("\r\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("\r".to_owned()),
        Just("\0".to_owned()),
        Just("\u{2028}\u{2029}".to_owned()),
        Just("data: {}\nid: 7\n".to_owned()),
        Just("🚨👩‍🚒</script>".to_owned()),
        Just("\u{feff}".to_owned()),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// Any event. Tool and run ids come from a small set, so that beginnings meet their ends.
pub(crate) fn any_event() -> impl Strategy<Value = Event> {
    let run = |n: u8| format!("00000000-0000-4000-8000-00000000000{}", n % 4).parse().unwrap();
    prop_oneof![
        (any_text(), any_text(), any::<bool>()).prop_map(|(text, by, steered)| Event::User { text, by, steered }),
        any_text().prop_map(|model| Event::Session { session_id: "c".into(), model }),
        (0u8..4, any_text()).prop_map(|(request, command)| Event::Permission {
            request_id: request.to_string(),
            tool: "Bash".into(),
            input: serde_json::json!({ "command": command }),
        }),
        (0u8..4, any_text(), any::<bool>()).prop_map(|(request, by, deny)| Event::Decision {
            request_id: request.to_string(),
            decision: if deny { Decision::Deny } else { Decision::AllowOnce },
            message: deny.then(|| by.clone()),
            by,
        }),
        any_text().prop_map(|text| Event::Text { text }),
        (0u8..6, any_text()).prop_map(|(tool, command)| Event::Tool {
            tool_id: tool.to_string(),
            name: "command".into(),
            input: serde_json::json!({ "command": command }),
            parent: (tool > 3).then(|| "0".to_owned()),
        }),
        (0u8..6, any_text(), any::<bool>(), any::<Option<i32>>()).prop_map(|(tool, output, is_error, exit_code)| {
            let whole = is_error.then_some(7);
            Event::ToolResult { tool_id: tool.to_string(), output, is_error, exit_code, truncated: is_error, whole }
        }),
        (any::<bool>(), any_text(), any::<u32>()).prop_map(|(is_error, result, ms)| Event::Result {
            is_error,
            result,
            duration_ms: ms.into(),
            cost_usd: None,
        }),
        any_text().prop_map(|error| Event::Error { error }),
        any_text().prop_map(|by| Event::Cancelled { by }),
        any_text().prop_map(|text| Event::Notice { level: Level::Warning, text }),
        (any::<u8>(), 0usize..6, any_text(), 0usize..4).prop_map(move |(n, verb, by, outcome)| Event::Verb {
            run_id: run(n),
            verb: Verb::ALL[verb],
            by,
            outcome: [None, Some(Outcome::Done), Some(Outcome::Refused), Some(Outcome::Unknown)][outcome],
            exit_code: None,
        }),
        (any::<bool>(), any_text(), prop::collection::vec(any_text(), 0..3))
            .prop_map(|(ok, text, facts)| Event::Check { ok, text, facts }),
        (any_text(), any::<u32>(), any_text(), any::<bool>()).prop_map(|(name, percent, words, high)| Event::Figures {
            figures: vec![Figure { name, percent: percent.into(), words, high }],
        }),
        Just(Event::TurnEnd),
        Just(Event::Unknown),
    ]
}

/// A log as a server could have written it: ids without gaps, and each tool and each run begun once and ended once,
/// the end after the beginning. A log may begin anywhere, so an end may also stand without its beginning.
pub(crate) fn any_log() -> impl Strategy<Value = Vec<Entry>> {
    (any::<u16>(), prop::collection::vec(any_event(), 0..60)).prop_map(|(first, events)| {
        let mut seen = std::collections::BTreeSet::new();
        let mut log = Vec::new();
        for event in events {
            let (begin, end) = match &event {
                Event::Tool { tool_id, .. } => (Some(format!("tool {tool_id}")), None),
                Event::ToolResult { tool_id, .. } => (None, Some(format!("tool {tool_id}"))),
                Event::Permission { request_id, .. } => (Some(format!("permission {request_id}")), None),
                Event::Decision { request_id, .. } => (None, Some(format!("permission {request_id}"))),
                Event::Verb { run_id, outcome: None, .. } => (Some(format!("run {run_id}")), None),
                Event::Verb { run_id, .. } => (None, Some(format!("run {run_id}"))),
                _ => (None, None),
            };
            let fresh = match (begin, end) {
                (Some(key), _) => !seen.contains(&format!("{key} ended")) && seen.insert(format!("{key} begun")),
                (_, Some(key)) => seen.insert(format!("{key} ended")),
                _ => true,
            };
            if fresh {
                let id = EntryId(u64::from(first) + log.len() as u64);
                log.push(Entry { id, at: Millis(id.0 * 10), event });
            }
        }
        log
    })
}
