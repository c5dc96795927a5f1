//! Entries in JSON, there and back.

use proptest::prelude::*;

use super::*;
use crate::testing::any_event;

#[test]
fn an_entry_is_one_flat_object() {
    let entry = Entry { id: EntryId(3), at: Millis(17), event: Event::Cancelled { by: "ada".into() } };
    let json = serde_json::to_value(&entry).unwrap();
    assert_eq!(json, serde_json::json!({"id": 3, "at": 17, "kind": "cancelled", "by": "ada"}));
    assert_eq!(serde_json::from_value::<Entry>(json).unwrap(), entry);
}

proptest! {
    #[test]
    fn the_kind_is_the_word_that_stands_in_json(event in any_event()) {
        let json = serde_json::to_value(&event).unwrap();
        prop_assert_eq!(&json["kind"], event.kind());
    }
}

proptest! {
    #[test]
    fn an_entry_is_read_back_as_it_was_written(event in any_event()) {
        let entry = Entry { id: EntryId(7), at: Millis(17), event };
        let json = serde_json::to_string(&entry).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Entry>(&json).unwrap(), &entry);
        prop_assert_eq!(serde_json::from_str::<Streamed>(&json).unwrap(), Streamed::Entry(entry));
    }
}

#[test]
fn what_passes_is_told_from_what_is_on_record() {
    for live in [Live::Draft { text: "a".into() }, Live::Progress { tool_id: "t".into(), seconds: 3 }] {
        let json = serde_json::to_string(&live).unwrap();
        assert_eq!(serde_json::from_str::<Streamed>(&json).unwrap(), Streamed::Live(live));
    }
    assert!(serde_json::from_str::<Streamed>(r#"{"kind":"hologram"}"#).is_err());
}

#[test]
fn an_entry_without_a_field_of_its_kind_is_no_entry() {
    assert!(serde_json::from_str::<Entry>(r#"{"id":0,"at":1,"kind":"text"}"#).is_err());
    assert!(serde_json::from_str::<Entry>(r#"{"at":1,"kind":"turn_end"}"#).is_err());
}

#[test]
fn a_kind_of_the_future_is_kept_as_unknown() {
    let entry: Entry = serde_json::from_str(r#"{"id":0,"at":1,"kind":"hologram","depth":3}"#).unwrap();
    assert_eq!(entry.event, Event::Unknown);
}
