//! What a client holds of its session, in whatever order it came, and what it noticed on the way. Pure: frames in, fold
//! out.

use std::collections::BTreeMap;

use domain::{
    event::Entry,
    sse::{Frame, HeadData},
    transcript::Transcript,
};

/// What a client holds.
#[derive(Debug, Default)]
pub struct Seen {
    /// The data of each entry, as it came.
    pub frames: BTreeMap<u64, String>,
    /// Their fold, each applied as often as it came.
    pub transcript: Transcript,
    /// What must not have happened.
    pub faults: Vec<String>,
    whole: u64,
}

impl Seen {
    /// How many entries it has from the first on without a gap: the cursor's entry is the one before.
    pub fn whole(&self) -> u64 {
        self.whole
    }

    /// Takes an entry. Gives its kind when it is new.
    fn take(&mut self, id: u64, data: &str) -> Option<&'static str> {
        let entry: Entry = match serde_json::from_str(data) {
            Ok(entry) => entry,
            Err(error) => {
                self.faults.push(format!("entry {id} is none: {error}: {data}"));
                return None;
            }
        };
        if entry.id.0 != id {
            self.faults.push(format!("the frame says {id}, its entry {}", entry.id));
        }
        self.transcript.apply(&entry);
        if let Some(known) = self.frames.get(&id) {
            if known != data {
                self.faults.push(format!("entry {id} has two contents: {known} and {data}"));
            }
            return None;
        }
        self.frames.insert(id, data.to_owned());
        while self.frames.contains_key(&self.whole) {
            self.whole += 1;
        }
        Some(entry.event.kind())
    }
}

/// Where one connection stands. Within a connection entries come one after the other, from the one after the cursor on.
#[derive(Debug)]
pub struct Reading {
    next: Option<u64>,
    /// The last entry that came: what a browser sends when it attaches again.
    pub cursor: Option<u64>,
    /// Whether the replay is over.
    pub caught_up: bool,
}

impl Reading {
    /// A connection that begins with this entry; nothing where only the server knows.
    pub fn from(next: Option<u64>) -> Self {
        Reading { next, cursor: None, caught_up: false }
    }

    /// Takes a frame. Gives the entry's kind when it is new to the client.
    pub fn take(&mut self, frame: &Frame, seen: &mut Seen) -> Option<&'static str> {
        let Some(id) = &frame.id else {
            self.take_mark(frame, seen);
            return None;
        };
        let Ok(id) = id.parse::<u64>() else {
            seen.faults.push(format!("the id {id:?} is no number"));
            return None;
        };
        if self.next.is_some_and(|next| next != id) {
            seen.faults.push(format!("entry {id} came where {:?} was next", self.next));
        }
        self.next = Some(id + 1);
        self.cursor = Some(id);
        seen.take(id, &frame.data)
    }

    fn take_mark(&mut self, frame: &Frame, seen: &mut Seen) {
        let head = || serde_json::from_str::<HeadData>(&frame.data).map(|data| data.head.len());
        match frame.event.as_deref() {
            Some("caught-up") => {
                if let (Ok(len), Some(next)) = (head(), self.next)
                    && len != next
                {
                    seen.faults.push(format!("caught up at {len} entries, where {next} was next"));
                }
                self.caught_up = true;
            }
            // Whatever a client has seen was on disk, so its cursor cannot lie past the head.
            Some("reset") => seen.faults.push(format!("a reset, {}, though nothing can have been lost", frame.data)),
            _ => {}
        }
    }
}
