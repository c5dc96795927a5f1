//! Retention: sessions in which nothing has happened for long are deleted, with their folders, and old runs with them. Off
//! unless the configuration has a number for it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::ids::{Millis, SessionId};

use super::{
    fresh,
    sessions::Sessions,
    store::{Store, StoreError},
};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Deletes what is older than `keep`, now and every hour.
pub fn begin(store: Store, sessions: Arc<Sessions>, sessions_dir: PathBuf, keep: Duration) {
    tokio::spawn(async move {
        let mut rounds = tokio::time::interval(EVERY);
        loop {
            rounds.tick().await;
            let before = Millis(fresh::now().0.saturating_sub(u64::try_from(keep.as_millis()).unwrap_or(u64::MAX)));
            if let Err(error) = round(&store, &sessions, &sessions_dir, before).await {
                tracing::error!(%error, "old sessions could not be deleted");
            }
        }
    });
}

async fn round(store: &Store, sessions: &Sessions, folder: &Path, before: Millis) -> Result<(), StoreError> {
    for id in store.older_sessions(before).await? {
        if sessions.forget(&id, before).await? {
            remove(&folder.join(id.as_str())).await;
            tracing::info!(session = %id, "deleted, as nothing has happened in it for long (BREAKGLASS_RETENTION_DAYS)");
        }
    }
    remove_strays(store, folder).await?;
    store.delete_runs(before).await
}

/// Folders of sessions that are not on record: a server that died, or an agent's read-only tree, may have left them.
async fn remove_strays(store: &Store, folder: &Path) -> Result<(), StoreError> {
    let Ok(mut folders) = tokio::fs::read_dir(folder).await else { return Ok(()) };
    while let Ok(Some(found)) = folders.next_entry().await {
        let Some(id) = found.file_name().to_str().and_then(|name| name.parse::<SessionId>().ok()) else { continue };
        if store.session(id).await?.is_none() {
            remove(&found.path()).await;
        }
    }
    Ok(())
}

async fn remove(folder: &Path) {
    match tokio::fs::remove_dir_all(folder).await {
        // It may have none, when no agent ever worked there.
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::error!(folder = %folder.display(), %error, "the folder of a deleted session cannot be removed");
        }
        _ => {}
    }
}
