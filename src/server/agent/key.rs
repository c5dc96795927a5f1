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

use crate::server::{config::Config, target::Target};

/// Why the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "the target's key {path} (BREAKGLASS_KEY_PATH) cannot be read: {source}: make it readable for the console's user"
    )]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the ssh-agent for the target's key cannot be started: {0}: install openssh-client")]
    NoAgent(String),
    #[error(
        "the target's key {path} (BREAKGLASS_KEY_PATH) was not taken: {words}: if it has a passphrase, give the console a key without one"
    )]
    NotTaken { path: PathBuf, words: String },
}

/// An ssh-agent that holds one key. It ends with this.
#[derive(Debug)]
pub struct KeyAgent {
    _process: Process,
}

/// The target's key, where it is a file: in one ssh-agent for the console's own way to the target, and in another for the
/// agent, which may do with its own what it likes.
#[derive(Debug, Default)]
pub struct Keys {
    pub own: Option<(PathBuf, KeyAgent)>,
    pub agents: Option<(PathBuf, KeyAgent)>,
}

impl Keys {
    /// Loads the key. One that cannot be used costs the way to the target and not the console.
    pub async fn load(config: &Config) -> Keys {
        let Some(key) = &config.agent.key_path else {
            return Keys::default();
        };
        let path = config.child_env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.to_string_lossy());
        let path = path.unwrap_or_default().into_owned();
        let keeper = super::keeper_of(&config.agent.program);
        let load = async |name: &str| {
            let socket = config.data_dir.join("agent").join(name);
            match KeyAgent::start(key, &socket, &keeper, &path).await {
                Ok(agent) => Some((socket, agent)),
                Err(error) => {
                    tracing::error!("{error}");
                    None
                }
            }
        };
        Keys { own: load("key").await, agents: load("agents-key").await }
    }

    /// The target, reached with the key that this one holds.
    pub fn target(&self, target: &Target, key: &Option<(PathBuf, KeyAgent)>) -> Target {
        match (target, key) {
            (Target::Ssh(ssh), Some((socket, _))) => Target::Ssh(ssh.clone().with_identity_agent(socket.clone())),
            _ => target.clone(),
        }
    }
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
