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
    tokio::fs::create_dir_all(to.parent()?).await.ok()?;
    tokio::fs::copy(from, &to).await.ok()
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
