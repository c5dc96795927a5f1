//! The record on disk: SQLite in WAL mode, one writer thread, readers beside it.
//!
//! A write is a closure. The writer takes whatever is queued, runs it in one transaction and commits it with one flush
//! to disk (group commit, no timer); only then does a closure's `done` run, in the order in which they were queued.
//! **Invariant:** what a client sees was committed before, because publishing happens in `done`.
//!
//! This module knows SQL and no rule: what may be written is decided elsewhere.

mod age;
pub mod conversations;
mod keys;
mod locks;
mod log;
pub mod runs;
mod schema;
mod sign_ins;

use std::{
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, oneshot};

pub use keys::{Form, Intent, KEPT, StoredAnswer};
pub use log::{Appended, StoredSession, Wanted};

/// Why the record could not be written or read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the disk of the record is full")]
    Full,
    #[error("the record is read-only")]
    ReadOnly,
    #[error("the record failed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    #[error("cannot use the data directory {path}: {source}")]
    Folder { path: PathBuf, source: Arc<std::io::Error> },
    #[error("the disk of the record does not answer")]
    Hangs,
    #[error("the record is closed")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => StoreError::ReadOnly,
            _ => StoreError::Sqlite(Arc::new(error)),
        }
    }
}

/// The queue has no bound: each job has a caller who waits for it, and the callers are bounded.
#[expect(
    clippy::disallowed_methods,
    reason = "a job must be queued without waiting, so that the order of calls is kept"
)]
fn unbounded() -> (mpsc::UnboundedSender<Job>, mpsc::UnboundedReceiver<Job>) {
    mpsc::unbounded_channel()
}

/// What is left to do after the commit, told how the commit went.
type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Done + Send>;

/// A write that goes with another into one transaction.
pub type Also = Box<dyn FnOnce(&Connection) -> rusqlite::Result<()> + Send>;

/// A handle to the record. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::UnboundedSender<Job>,
    readers: Arc<Readers>,
    /// One search at a time: each looks through all of the record, and a tap must not wait for them.
    searching: Arc<Semaphore>,
}

/// Connections for reading: no more than [`READERS`], however many want to read.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
}

const READERS: usize = 4;

impl Store {
    /// Opens the record in `data_dir`, creating folder and tables where they are missing. `max_bytes` bounds the
    /// database's size; 0 leaves it to the disk.
    pub fn open(data_dir: &Path, max_bytes: u64) -> Result<Self, StoreError> {
        create_private(data_dir)
            .map_err(|source| StoreError::Folder { path: data_dir.to_owned(), source: Arc::new(source) })?;
        let path = data_dir.join("breakglass.sqlite3");
        let mut writer = schema::connect(&path)?;
        schema::migrate(&mut writer)?;
        schema::bound(&writer, max_bytes)?;
        let (jobs, queue) = unbounded();
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                let writing = AssertUnwindSafe(|| write_all(&mut writer, queue));
                if std::panic::catch_unwind(writing).is_err() {
                    // Nothing could be recorded any more. Whoever supervises us starts us again, and nothing is lost.
                    tracing::error!("a fault of the console in the writing of its record: it ends");
                    std::process::abort();
                }
            })
            .map_err(|source| StoreError::Folder { path: path.clone(), source: Arc::new(source) })?;
        Ok(Store {
            jobs,
            readers: Arc::new(Readers { path, idle: Mutex::default(), places: Arc::new(Semaphore::new(READERS)) }),
            searching: Arc::new(Semaphore::new(1)),
        })
    }

    /// Runs `write` in the next transaction, and `done` after its commit, before any later write's.
    fn submit<T: Send + 'static, R: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) -> R + Send + 'static,
    ) -> oneshot::Receiver<R> {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let written = connection.and_then(|connection| savepoint(connection, write).map_err(StoreError::from));
            Box::new(move |committed| {
                let result = written.and_then(|value| committed.map(|()| value));
                // Nobody has to wait for the answer: the write stands all the same.
                let _ = tell.send(done(result));
            })
        });
        // Where the writer is gone, the job is dropped here and its receiver says so.
        let _ = self.jobs.send(job);
        told
    }

    /// Runs `write` in the next transaction and gives its value once that is on disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(write, |result| result).await.unwrap_or(Err(StoreError::Closed))
    }

    /// Waits until all that was queued before is written and told.
    pub async fn settled(&self) {
        // What cannot be written has been told too.
        let _ = self.write(|_| Ok(())).await;
    }

    /// Reads beside the writer, on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        let place = Arc::clone(&self.readers.places).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let reading = tokio::task::spawn_blocking(move || {
            // Held until the reading is over, also when nobody waits for it any more.
            let _place = place;
            let idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match idle {
                Some(connection) => connection,
                None => schema::connect(&readers.path)?,
            };
            let result = read(&connection)?;
            readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(result)
        });
        reading.await.unwrap_or(Err(StoreError::Closed))
    }
}

/// One failing write must not undo its neighbours in the same transaction.
fn savepoint<T>(
    connection: &Connection,
    write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch("SAVEPOINT job")?;
    let result = write(connection);
    match result {
        Ok(value) => connection.execute_batch("RELEASE job").map(|()| value),
        Err(error) => {
            // On a full disk the whole transaction is gone already, and its savepoints with it.
            let _ = connection.execute_batch("ROLLBACK TO job; RELEASE job");
            Err(error)
        }
    }
}

/// The largest batch of one transaction; it bounds how long the first of them waits.
const BATCH: usize = 256;

fn write_all(connection: &mut Connection, mut queue: mpsc::UnboundedReceiver<Job>) {
    let mut jobs = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut jobs, BATCH) > 0 {
        let mut transaction = connection.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from);
        let mut dones: Vec<Done> = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            dones.push(job(transaction.clone().map(|()| &*connection)));
            // A full disk makes SQLite roll the whole transaction back; what comes after must not slip out of it.
            if transaction.is_ok() && connection.is_autocommit() {
                transaction = Err(StoreError::Full);
            }
        }
        let committed = transaction.and_then(|()| connection.execute_batch("COMMIT").map_err(StoreError::from));
        if let Err(error) = &committed {
            tracing::error!(%error, writes = dones.len(), "the record could not be written");
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
        for done in dones {
            done(committed.clone());
        }
    }
}

/// Creates a folder that only its owner can enter.
pub fn create_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let found = std::fs::metadata(folder)?;
    if found.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
