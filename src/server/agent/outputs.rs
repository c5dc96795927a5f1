//! Outputs that are too long for the transcript, kept whole beside it: one file per tool, in the session's own folder.

use std::path::{Path, PathBuf};

use domain::ids::SessionId;

/// Where the output of a tool is kept, for a tool id of the CLI's form; nothing for what could be another path.
pub fn path(sessions_dir: &Path, session: &SessionId, tool_id: &str) -> Option<PathBuf> {
    let plain = !tool_id.is_empty()
        && tool_id.len() <= 128
        && tool_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    plain.then(|| sessions_dir.join(session.as_str()).join("outputs").join(format!("{tool_id}.txt")))
}

/// Keeps a copy of what the CLI has put into `from`, because it clears such files away in its own time. Gives its size in
/// bytes; nothing when it is larger than `limit` or cannot be kept.
pub async fn keep(sessions_dir: &Path, session: &SessionId, tool_id: &str, from: &Path, limit: u64) -> Option<u64> {
    let to = path(sessions_dir, session, tool_id)?;
    let found = tokio::fs::symlink_metadata(from).await.ok()?;
    if !found.is_file() || found.len() > limit {
        return None;
    }
    let folder = to.parent()?;
    tokio::fs::create_dir_all(folder).await.ok()?;
    if kept_bytes(folder).await + found.len() > limit.saturating_mul(OUTPUTS) {
        return None;
    }
    tokio::fs::copy(from, &to).await.ok()
}

/// How many of the largest outputs a session may keep.
const OUTPUTS: u64 = 16;

async fn kept_bytes(folder: &Path) -> u64 {
    let mut bytes = 0;
    if let Ok(mut entries) = tokio::fs::read_dir(folder).await {
        while let Ok(Some(entry)) = entries.next_entry().await {
            bytes += entry.metadata().await.map_or(0, |found| found.len());
        }
    }
    bytes
}

/// Opens what is kept. The folder is the agent's own, so what stands there may be anything: nothing but a plain file is
/// opened, and nothing is waited for.
pub async fn open(path: &Path) -> std::io::Result<tokio::fs::File> {
    use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
    let file = tokio::fs::OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path).await?;
    if file.metadata().await?.is_file() { Ok(file) } else { Err(std::io::ErrorKind::InvalidInput.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_id_that_is_a_path_names_nothing() {
        let session: SessionId = "00000000-0000-4000-8000-000000000000".parse().unwrap();
        for id in ["../x", "a/b", "", ".", "a.txt"] {
            assert_eq!(path(Path::new("/s"), &session, id), None, "{id}");
        }
        assert!(path(Path::new("/s"), &session, "toolu_01A-b").unwrap().ends_with("outputs/toolu_01A-b.txt"));
    }
}
