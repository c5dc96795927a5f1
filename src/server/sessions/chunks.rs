//! Frames of old entries, in the pieces in which they are sent. A full piece never changes, because a log only grows; so
//! whoever replays a long session after another gets the same bytes, and nothing is read from disk again.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use bytes::Bytes;
use domain::ids::{EntryId, SessionId};

use super::locked;

/// How much is kept of all sessions together, in bytes.
const KEPT: usize = 16 << 20;

/// A piece's place: its session, and the entry that it begins with.
type Place = (SessionId, EntryId);

/// The pieces that were sent last.
#[derive(Debug, Default)]
pub struct Chunks(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Each piece, and the entry that follows it.
    chunks: HashMap<Place, (Bytes, EntryId)>,
    /// Their places, the oldest first.
    order: VecDeque<Place>,
    bytes: usize,
}

impl Chunks {
    /// The piece that begins with this entry, and the entry that follows it.
    pub fn get(&self, session: &SessionId, from: EntryId) -> Option<(Bytes, EntryId)> {
        locked(&self.0).chunks.get(&(session.clone(), from)).cloned()
    }

    /// Keeps a full piece; the oldest make room.
    pub fn keep(&self, session: &SessionId, from: EntryId, chunk: Bytes, next: EntryId) {
        let mut kept = locked(&self.0);
        let place = (session.clone(), from);
        let added = chunk.len();
        if kept.chunks.insert(place.clone(), (chunk, next)).is_some() {
            return;
        }
        kept.order.push_back(place);
        kept.bytes += added;
        while kept.bytes > KEPT
            && let Some(oldest) = kept.order.pop_front()
        {
            let freed = kept.chunks.remove(&oldest).map_or(0, |(chunk, _)| chunk.len());
            kept.bytes -= freed;
        }
    }

    /// Forgets a session that is deleted.
    pub fn forget(&self, session: &SessionId) {
        let mut kept = locked(&self.0);
        let gone: Vec<_> = kept.order.iter().filter(|place| place.0 == *session).cloned().collect();
        for place in gone {
            let freed = kept.chunks.remove(&place).map_or(0, |(chunk, _)| chunk.len());
            kept.bytes -= freed;
        }
        kept.order.retain(|place| place.0 != *session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(n: u8) -> SessionId {
        format!("00000000-0000-4000-8000-0000000000{n:02}").parse().unwrap()
    }

    #[test]
    fn a_piece_is_given_again_until_newer_ones_take_its_room() {
        let chunks = Chunks::default();
        let piece = Bytes::from(vec![b'x'; 1 << 20]);
        for from in 0..16 {
            chunks.keep(&session(1), EntryId(from), piece.clone(), EntryId(from + 1));
        }
        assert_eq!(chunks.get(&session(1), EntryId(0)).unwrap().1, EntryId(1));
        assert_eq!(chunks.get(&session(2), EntryId(0)), None);
        chunks.keep(&session(1), EntryId(16), piece.clone(), EntryId(17));
        assert_eq!(chunks.get(&session(1), EntryId(0)), None, "the oldest made room");
        assert!(chunks.get(&session(1), EntryId(1)).is_some());
    }

    #[test]
    fn a_deleted_session_is_forgotten_and_its_room_is_free() {
        let chunks = Chunks::default();
        let piece = Bytes::from(vec![b'x'; 8 << 20]);
        chunks.keep(&session(1), EntryId(0), piece.clone(), EntryId(1));
        chunks.forget(&session(1));
        assert_eq!(chunks.get(&session(1), EntryId(0)), None);
        chunks.keep(&session(2), EntryId(0), piece.clone(), EntryId(1));
        chunks.keep(&session(2), EntryId(1), piece, EntryId(2));
        assert!(chunks.get(&session(2), EntryId(0)).is_some());
    }
}
