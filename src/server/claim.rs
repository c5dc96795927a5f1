//! A data directory has one server: each ends what carries its mark, and writes its record. Whatever a server needs that
//! there is once, it claims here.

use std::{
    fs::{File, TryLockError},
    path::Path,
    time::Duration,
};

use super::StartError;

/// How long an address or a data directory may still be held by a server that has just been killed.
const HELD_OVER: Duration = Duration::from_secs(2);

/// Tries again for a moment what a server that was just killed may still hold: a child between its fork and its program has
/// all that its parent had open.
pub async fn again<T, E>(mut attempt: impl AsyncFnMut() -> Result<T, E>) -> Result<T, E> {
    let begun = std::time::Instant::now();
    loop {
        match attempt().await {
            Err(_) if begun.elapsed() < HELD_OVER => tokio::time::sleep(HELD_OVER / 40).await,
            result => return result,
        }
    }
}

/// Makes sure that no other server uses this data directory: each ends what carries its mark, and writes its record.
pub fn claim(data_dir: &Path) -> Result<File, StartError> {
    let path = data_dir.join("served");
    let failed = |source| StartError::Claim { path: path.clone(), source };
    // Not written to, so that a full disk is no reason to fail.
    let lock = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StartError::Served(data_dir.to_owned())),
        // A filesystem without locks has none to hold.
        Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => Ok(lock),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
