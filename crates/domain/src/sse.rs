//! The frames of `text/event-stream`, both ways: what the server writes and what a client reads back from any split of
//! the bytes. After the WHATWG HTML standard, section 9.2.
//!
//! The protocol is of lines: a raw CR cannot cross it, it arrives as LF. What carries arbitrary text is therefore JSON,
//! in which CR and LF are escaped; then any text comes back as it was.

use std::fmt::Write;

use serde::Serialize;

use crate::{event::Live, ids::EntryId, log::Head};

/// One frame as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The `id` field of this frame, if it had one.
    pub id: Option<String>,
    /// The `event` field; `None` stands for `message`.
    pub event: Option<String>,
    /// The `data` lines, joined by LF.
    pub data: String,
}

impl Frame {
    /// The frame as bytes on the wire, its closing blank line included.
    pub fn encode(&self) -> String {
        let mut out = String::with_capacity(self.data.len() + 32);
        if let Some(id) = &self.id {
            line(&mut out, "id", id);
        }
        if let Some(event) = &self.event {
            line(&mut out, "event", event);
        }
        let unified = self.data.replace("\r\n", "\n");
        for data in unified.split(['\n', '\r']) {
            line(&mut out, "data", data);
        }
        out.push('\n');
        out
    }
}

/// A field that must be one line loses what would end it.
fn line(out: &mut String, field: &str, value: &str) {
    out.push_str(field);
    out.push_str(": ");
    out.extend(value.chars().filter(|c| !matches!(c, '\r' | '\n')));
    out.push('\n');
}

/// The frame of an entry whose JSON was made once, for all readers.
pub fn entry_frame(id: EntryId, json: &str) -> String {
    format!("id: {id}\ndata: {json}\n\n")
}

/// The frame of something that is not logged: no id, so that the cursor stays where it is.
pub fn live_frame(live: &Live) -> String {
    format!("data: {}\n\n", json(live))
}

/// Says that the replay is over and where the log stood.
pub fn caught_up_frame(head: Head) -> String {
    format!("event: caught-up\ndata: {}\n\n", json(&HeadData { head }))
}

/// Says that the client's cursor is of another log and that the whole log follows.
pub fn reset_frame(head: Head) -> String {
    format!("event: reset\ndata: {}\n\n", json(&HeadData { head }))
}

/// The first frame of a stream: how long to wait before attaching again, in milliseconds.
pub fn retry_frame(millis: u64) -> String {
    let mut out = String::new();
    let _ = write!(out, "retry: {millis}\n\n");
    out
}

/// The last frame of a stream whose server is about to end: it comes back, so attach again in so many milliseconds.
pub fn restart_frame(millis: u64) -> String {
    let mut out = retry_frame(millis);
    let _ = write!(out, "event: restart\ndata: {{\"retry_ms\":{millis}}}\n\n");
    out
}

/// The comment that keeps a silent stream alive.
pub const HEARTBEAT: &str = ": heartbeat\n\n";

/// The data of `caught-up` and `reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct HeadData {
    /// The newest entry's id, or null in an empty log.
    pub head: Head,
}

/// JSON of a type of ours, which cannot fail: no map of theirs has keys that are not text.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Reads frames out of bytes that arrive in any pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    frame: Frame,
    has_data: bool,
    after_cr: bool,
    begun: bool,
}

impl Decoder {
    /// Takes the next bytes and gives the frames that they complete. Comments and unknown fields are passed over.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for &byte in bytes {
            let after_cr = std::mem::take(&mut self.after_cr);
            match byte {
                b'\n' if after_cr => {}
                b'\n' => self.end_line(&mut frames),
                b'\r' => {
                    self.after_cr = true;
                    self.end_line(&mut frames);
                }
                _ => self.line.push(byte),
            }
        }
        frames
    }

    fn end_line(&mut self, frames: &mut Vec<Frame>) {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        // One byte order mark may stand before the very first line.
        let text = if self.begun { &*text } else { text.strip_prefix('\u{feff}').unwrap_or(&text) };
        self.begun = true;
        if text.is_empty() {
            let frame = std::mem::take(&mut self.frame);
            if std::mem::take(&mut self.has_data) {
                frames.push(frame);
            }
            return;
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.frame.data.push('\n');
                }
                self.has_data = true;
                self.frame.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.frame.id = Some(value.to_owned()),
            "event" => self.frame.event = Some(value.to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        event::{Entry, Event},
        ids::Millis,
        testing::{any_log, any_text},
    };

    fn decode_in_pieces(bytes: &[u8], cuts: &[prop::sample::Index]) -> Vec<Frame> {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let mut decoder = Decoder::default();
        places.windows(2).flat_map(|pair| decoder.push(&bytes[pair[0]..pair[1]])).collect()
    }

    proptest! {
        #[test]
        fn entries_survive_the_wire_whatever_their_text_and_however_it_is_cut(
            log in any_log(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut wire = retry_frame(1000);
            for entry in &log {
                wire.push_str(HEARTBEAT);
                wire.push_str(&entry_frame(entry.id, &serde_json::to_string(entry).unwrap()));
            }
            wire.push_str(&caught_up_frame(Head::of_len(log.len() as u64)));
            let mut frames = decode_in_pieces(wire.as_bytes(), &cuts);
            let last = frames.pop().unwrap();
            prop_assert_eq!(last.event.as_deref(), Some("caught-up"));
            prop_assert_eq!(frames.len(), log.len());
            for (frame, entry) in frames.iter().zip(&log) {
                prop_assert_eq!(frame.id.clone(), Some(entry.id.to_string()));
                prop_assert_eq!(&serde_json::from_str::<Entry>(&frame.data).unwrap(), entry);
            }
        }

        #[test]
        fn a_frame_of_any_text_comes_back_with_its_line_ends_as_lf(
            data in any_text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let frame = Frame { id: None, event: Some("end".into()), data: data.clone() };
            let frames = decode_in_pieces(frame.encode().as_bytes(), &cuts);
            let unified = data.replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(frames, vec![Frame { data: unified, ..frame }]);
        }

        #[test]
        fn bytes_that_are_no_stream_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            Decoder::default().push(&bytes);
        }
    }

    #[test]
    fn a_text_of_one_mebibyte_comes_back() {
        let text = "x\r\n\0\u{2028}🚨".repeat(1 << 17);
        assert!(text.len() >= 1 << 20);
        let entry = Entry { id: EntryId(0), at: Millis(0), event: Event::Text { text } };
        let wire = entry_frame(entry.id, &serde_json::to_string(&entry).unwrap());
        let frames = Decoder::default().push(wire.as_bytes());
        assert_eq!(serde_json::from_str::<Entry>(&frames[0].data).unwrap(), entry);
    }

    #[test]
    fn what_is_not_logged_moves_no_cursor() {
        let wire = live_frame(&Live::Draft { text: "a\nb".into() }) + &reset_frame(Head(None));
        let frames = Decoder::default().push(wire.as_bytes());
        assert!(frames.iter().all(|frame| frame.id.is_none()));
        assert_eq!(frames[1].data, r#"{"head":null}"#);
    }
}
