//! The target's key, where it is a file: loaded into an ssh-agent of the console's own, which holds nothing else. The file
//! is read once and never copied, whatever its mode; so a key that is mounted read-only serves as it is.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use claude_cli::{
    keeper::Launch,
    process::{Heard, Process},
};

/// Why the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the target's key {path} (BREAKGLASS_KEY_PATH) cannot be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the ssh-agent for the target's key cannot be started: {0}")]
    NoAgent(String),
    #[error("the target's key {path} (BREAKGLASS_KEY_PATH) was not taken, it may have a passphrase: {words}")]
    NotTaken { path: PathBuf, words: String },
}

/// An ssh-agent that holds one key. It ends with this.
#[derive(Debug)]
pub struct KeyAgent {
    _process: Process,
}

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl KeyAgent {
    /// Starts one at `socket` and loads the key into it.
    pub async fn start(key: &Path, socket: &Path, keeper: &[OsString], path: &str) -> Result<Self, KeyError> {
        let unreadable = |source| KeyError::Unreadable { path: key.to_owned(), source };
        let text = tokio::fs::read_to_string(key).await.map_err(unreadable)?;
        let no_agent = |error: &dyn std::fmt::Display| KeyError::NoAgent(error.to_string());
        let folder = socket.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(folder).map_err(|error| no_agent(&error))?;
        end_left(socket).await;
        let launch = |program: &str, args: Vec<String>| Launch {
            program: program.into(),
            args,
            env: vec![("PATH".into(), path.to_owned()), ("SSH_AUTH_SOCK".into(), socket.display().to_string())],
            dir: folder.to_owned(),
            key: None,
            file_bytes: None,
        };
        let agent = launch("ssh-agent", vec!["-D".into(), "-a".into(), socket.display().to_string()]);
        let mut process = Process::start(agent, keeper).await.map_err(|error| no_agent(&error))?;
        if !listens(socket, &mut process).await {
            return Err(KeyError::NoAgent(process.last_words().to_owned()));
        }
        // From its standard input it takes a key whatever the file's mode is.
        let mut add = Process::start(launch("ssh-add", vec!["-q".into(), "-".into()]), keeper)
            .await
            .map_err(|error| no_agent(&error))?;
        let said = add.say(text).await;
        let _ = said.and(add.close_input().await);
        let ended = async {
            loop {
                if let Heard::Ended(ended) = add.next().await {
                    break ended.code;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, ended).await {
            Ok(Some(0)) => Ok(KeyAgent { _process: process }),
            _ => Err(KeyError::NotTaken { path: key.to_owned(), words: add.last_words().to_owned() }),
        }
    }
}

/// Ends the ssh-agent that a killed console has left at this socket: it holds the key, and as a program with a group of its
/// own it was not told of its parent's death.
async fn end_left(socket: &Path) {
    if let Ok(stream) = tokio::net::UnixStream::connect(socket).await
        && let Ok(Some(pid)) = stream.peer_cred().map(|peer| peer.pid())
    {
        tracing::warn!(pid, "ended the ssh-agent that the last console had left running");
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
    }
    let _ = std::fs::remove_file(socket);
}

/// Waits until the socket is there. It says nothing on any pipe when it is.
async fn listens(socket: &Path, process: &mut Process) -> bool {
    let there = async {
        while tokio::net::UnixStream::connect(socket).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let ended = async {
        loop {
            if let Heard::Ended(_) = process.next().await {
                break;
            }
        }
    };
    tokio::select! {
        () = there => true,
        () = ended => false,
        () = tokio::time::sleep(PATIENCE) => false,
    }
}
