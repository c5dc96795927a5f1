//! Both ways of reading agree: what the page reads is what serde reads of the same JSON, for all that the page is sent.

use std::fmt::Debug;

use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Parsed, Read};
use crate::{
    call::{Entries, FormAnswer, SessionSummary, Told},
    event::{Entry, Event, Level, Live, Streamed},
    ids::{EntryId, Millis, RunId, SessionId},
    log::Head,
    page::{Flash, Page, PageParts, Surroundings},
    permission::{Choice, Decision},
    preset::PresetSummary,
    testing::{any_event, any_log, any_text},
    verb::{Outcome, Verb},
};

/// What serde parsed, as a browser hands it over: a number is a float, and what is not there is nothing.
impl Parsed for Value {
    fn is_nothing(&self) -> bool {
        self.is_null()
    }

    fn text(&self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn truth(&self) -> Option<bool> {
        self.as_bool()
    }

    fn items(&self) -> Option<Vec<Self>> {
        self.as_array().cloned()
    }

    fn members(&self) -> Vec<(String, Self)> {
        self.as_object().cloned().into_iter().flatten().collect()
    }

    fn member(&self, name: &str) -> Self {
        self.get(name).cloned().unwrap_or_default()
    }
}

/// Writes a value as the server does and reads it both ways.
fn agrees<T: Read + Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_value(value).unwrap();
    agrees_on::<T>(&json);
    assert_eq!(T::read(&json).as_ref(), Some(value), "{json}");
}

/// Reads the JSON both ways, and again with each of its members left out. With a member of another shape in its place,
/// what serde reads is read alike; but what nobody asks for may have any shape here.
fn agrees_on<T: Read + DeserializeOwned + PartialEq + Debug>(json: &Value) {
    let both = |json: &Value| (T::read(json), T::deserialize(json).ok());
    let same = |json: &Value| {
        let (ours, serdes) = both(json);
        assert_eq!(ours, serdes, "{json}");
    };
    same(json);
    let Some(members) = json.as_object() else { return };
    for name in members.keys() {
        let mut other = members.clone();
        other.remove(name);
        same(&other.clone().into());
        for shape in [Value::Null, json!(true), json!(-7), json!(0.5), json!("x"), json!(["x"]), json!({"x": 1})] {
            other.insert(name.clone(), shape);
            let json = other.clone().into();
            if let (ours, Some(serdes)) = both(&json) {
                assert_eq!(ours, Some(serdes), "{json}");
            }
        }
    }
}

fn session() -> SessionSummary {
    SessionSummary {
        id: "3f2b8c1e-0000-4000-8000-00000000000b".parse::<SessionId>().unwrap(),
        created: Millis(7),
        title: Some("what is wrong?".into()),
        turn_active: true,
        last_event_id: Head(Some(EntryId(4))),
        archived: true,
    }
}

fn page(entries: Vec<Entry>, words: String, full: bool) -> Page {
    let preset = PresetSummary {
        id: "triage".parse().unwrap(),
        label: "Triage".into(),
        icon: "pulse".into(),
        hint: "All".into(),
    };
    Page {
        session: full.then(session),
        entries,
        presets: vec![preset],
        surroundings: Surroundings {
            target: words.clone(),
            target_configured: full,
            hypervisor_configured: !full,
            practice: full,
            has_ai: !full,
            keepalive_ms: 20_000,
        },
        operator: words.clone(),
        key: "k".into(),
        flash: full.then(|| Flash { id: "f".into(), detail: words.clone(), draft: String::new() }),
        disk: full.then(|| words.clone()),
        parts: PageParts::default(),
    }
}

proptest! {
    #[test]
    fn an_entry_is_read_as_serde_reads_it(event in any_event()) {
        let entry = Entry { id: EntryId(7), at: Millis(1_763_618_700_000), event };
        agrees(&entry);
        agrees_on::<Streamed>(&serde_json::to_value(&entry).unwrap());
    }

    #[test]
    fn a_page_is_read_as_serde_reads_it(log in any_log(), words in any_text(), full in any::<bool>()) {
        agrees(&page(log.clone(), words, full));
        agrees(&Entries { entries: log });
    }
}

#[test]
fn what_passes_is_read_as_serde_reads_it() {
    for live in [Live::Draft { text: "a".into() }, Live::Progress { tool_id: "t".into(), seconds: 3 }] {
        agrees_on::<Streamed>(&serde_json::to_value(&live).unwrap());
        assert_eq!(Streamed::read(&serde_json::to_value(&live).unwrap()), Some(Streamed::Live(live)));
    }
}

#[test]
fn each_answer_of_a_form_is_read_as_serde_reads_it() {
    let session_id = session().id;
    let run_id: RunId = "3f2b8c1e-0000-4000-8000-00000000000a".parse().unwrap();
    let answers = [
        FormAnswer::Started { session_id: session_id.clone() },
        FormAnswer::Opened { session_id },
        FormAnswer::Cancelled { cancelled: true },
        FormAnswer::Archived { archived: false },
        FormAnswer::Running { run_id },
        FormAnswer::Noted {},
        FormAnswer::Failed { status: 409, detail: "no".into(), overridable: true },
    ];
    let decisions = [Choice::AllowOnce, Choice::AllowSession, Choice::Deny];
    let decisions = decisions.map(|decision| FormAnswer::Decided { decision });
    for answer in answers.iter().chain(&decisions) {
        agrees(answer);
        let json = serde_json::to_value(answer).unwrap();
        for (name, inside) in json.members() {
            for (member, _) in inside.members() {
                let mut less = inside.clone();
                less.as_object_mut().unwrap().remove(&member);
                agrees_on::<FormAnswer>(&json!({ name.as_str(): less }));
            }
        }
    }
    agrees_on::<Told>(&json!({"detail": "no", "code": "internal"}));
}

#[test]
fn each_word_is_read_as_serde_reads_it() {
    Verb::ALL.iter().for_each(agrees);
    [Outcome::Done, Outcome::Refused, Outcome::Unknown].iter().for_each(agrees);
    [Level::Info, Level::Warning].iter().for_each(agrees);
    [Decision::AllowOnce, Decision::AllowSession, Decision::Deny, Decision::Withdrawn].iter().for_each(agrees);
    for other in ["", "Done", "withdrawn ", "nobody"] {
        agrees_on::<Decision>(&json!(other));
        agrees_on::<Outcome>(&json!(other));
    }
}

#[test]
fn the_input_of_a_tool_is_read_whatever_its_shape() {
    let input = json!({
        "command": "ls", "n": 3, "half": 0.5, "below": -2, "null": null, "list": [1, "b", [true], {}],
        "inside": {"z": 1, "a": {"": "empty"}},
    });
    let event = Event::Tool { tool_id: "t".into(), name: "Odd".into(), input, parent: None };
    agrees(&Entry { id: EntryId(0), at: Millis(0), event });
}
