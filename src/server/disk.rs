//! The disk of the data directory: how much is free, and the words for when that is little. A full disk costs the record
//! and not the rescue; that it is nearly full is said before.

use std::path::PathBuf;

/// Looks at one disk.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Where on it.
    pub data_dir: PathBuf,
    /// Below how many free bytes it is said; 0 never.
    pub warn_bytes: u64,
}

impl Disk {
    /// What to say while there is little room; nothing while there is enough, or where nobody knows.
    pub fn warning(&self) -> Option<String> {
        let found = nix::sys::statvfs::statvfs(&self.data_dir).ok()?;
        // Blocks are counted in fragments, and what is kept for root is not ours; see `statvfs(3)`.
        let free = found.blocks_available().saturating_mul(found.fragment_size());
        (free < self.warn_bytes).then(|| {
            format!(
                "the console's disk has {} MiB left: make room in {} or near it, else nothing new can be recorded soon \
                 (BREAKGLASS_DISK_WARN_BYTES)",
                free >> 20,
                self.data_dir.display()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_said_with_its_number_and_enough_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let disk = |warn_bytes| Disk { data_dir: folder.path().to_owned(), warn_bytes };
        assert_eq!(disk(0).warning(), None);
        assert!(disk(u64::MAX).warning().unwrap().contains("MiB left"));
        assert_eq!(Disk { data_dir: "/nonexistent".into(), warn_bytes: u64::MAX }.warning(), None);
    }
}
