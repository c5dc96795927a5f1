//! The newest frames of a session in memory, each made once for all readers. Whatever is older is on disk.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use domain::{ids::EntryId, log::Head};

use super::session::CHUNK;

/// The newest frames, without a gap.
#[derive(Default)]
pub(super) struct Recent {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// The id of the first of `frames`.
    first: u64,
}

/// What is kept of a session in memory, in frames and in bytes.
const RECENT_FRAMES: usize = 512;
const RECENT_BYTES: usize = 1 << 20;
impl Recent {
    /// None yet, of a log that ends here.
    pub(super) fn after(head: Head) -> Self {
        Recent { first: head.len(), ..Recent::default() }
    }

    /// Takes the next frame, and lets the oldest go where it is too much.
    pub(super) fn push(&mut self, id: EntryId, frame: Bytes) {
        debug_assert_eq!(id.0, self.first + self.frames.len() as u64, "the log has no gaps");
        self.bytes += frame.len();
        self.frames.push_back(frame);
        while self.frames.len() > RECENT_FRAMES || (self.bytes > RECENT_BYTES && self.frames.len() > 1) {
            if let Some(oldest) = self.frames.pop_front() {
                self.bytes -= oldest.len();
                self.first += 1;
            }
        }
    }

    /// The frames from this entry on, about [`CHUNK`] of them, and which entry is next; nothing where it is older.
    pub(super) fn from(&self, from: EntryId) -> Option<(Bytes, EntryId)> {
        let skip = usize::try_from(from.0.checked_sub(self.first)?).ok()?;
        let mut frames = self.frames.iter().skip(skip);
        let first = frames.next()?;
        let mut next = from.0 + 1;
        // One frame is the common case while following; it is shared, not copied.
        let Some(second) = frames.next() else {
            return Some((first.clone(), EntryId(next)));
        };
        let mut chunk = BytesMut::with_capacity(CHUNK);
        chunk.extend_from_slice(first);
        for frame in std::iter::once(second).chain(frames) {
            if chunk.len() + frame.len() > CHUNK {
                break;
            }
            chunk.extend_from_slice(frame);
            next += 1;
        }
        Some((chunk.freeze(), EntryId(next)))
    }
}
