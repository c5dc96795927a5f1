//! The backend with AI: the Claude Code CLI, one process per session at work. `claude-cli` drives the process; this module
//! says in which folder it works, with which reach and leave, and tells what it says as events.
//!
//! ```text
//!   sessions ─▶ turn.rs ─▶ pool.rs (a process that waits, or a new one) ─▶ claude-cli ─▶ keeper ─▶ CLI
//!                  │  ▲                                                                             │ Bash
//!                  │  └─ tell.rs: what it says, as events                                           ▼
//!                  └──── permissions, steering, Stop                     verbs ◀─ shim.rs: ssh pve · ssh devvm ─▶ target
//! ```
//! **Invariant:** the agent's environment is an allow-list; the provider's key reaches the CLI through a pipe, and the
//! hypervisor's key does not reach it at all.

mod answer;
mod definition;
mod end;
mod key;
mod listen;
pub mod outputs;
mod pool;
mod reach;
pub mod shim;
mod tell;
mod turn;

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use claude_cli::{
    argv::{Conversation, Definition, Invocation, Protocol},
    keeper,
    settle::Attempt,
};
use domain::ids::SessionId;
use futures_util::future::BoxFuture;

pub use self::{definition::DefinitionError, key::Keys, reach::TURN_FILE};
use self::{
    pool::Pool,
    reach::{CONSOLE_MARK, Reach, SESSION_MARK},
};
use super::{
    auth::agents::TurnTokens,
    config::{AgentConfig, Permissions},
    sessions::backend::{Backend, Finished, Turn, TurnError},
    store::Store,
    target::Target,
};

/// The agent, with all that its turns need.
pub struct Agent {
    config: AgentConfig,
    definition: Definition,
    /// The house's own words, which are put into the agent's folder.
    house: Option<String>,
    store: Store,
    tokens: TurnTokens,
    reach: Reach,
    pool: Arc<Pool>,
    /// The socket of the ssh-agent with the target's key, where there is one.
    key_socket: Option<PathBuf>,
    data_dir: PathBuf,
    child_env: Vec<(OsString, OsString)>,
    /// How much of an output stands in the transcript, in bytes.
    output_bytes: usize,
    /// What operators have allowed for a session, by the tool's name. Forgotten when the console ends.
    allowed: Mutex<HashMap<SessionId, HashSet<String>>>,
    /// True once the CLI has said that it lacks the protocol.
    once: Mutex<bool>,
}

/// What the agent is made with.
pub struct AgentParts {
    pub config: AgentConfig,
    pub agents_dir: Option<PathBuf>,
    pub store: Store,
    pub tokens: TurnTokens,
    pub target: Target,
    pub target_name: String,
    /// Where the console answers on this machine.
    pub console: String,
    pub key_socket: Option<PathBuf>,
    pub data_dir: PathBuf,
    pub child_env: Vec<(OsString, OsString)>,
    pub output_bytes: usize,
    pub most_processes: usize,
}

/// Why there can be no agent.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    #[error("the agent's ssh cannot be put into {path}: {source}")]
    Folder { path: PathBuf, source: std::io::Error },
}

/// How long what a killed console has left behind has to end by itself.
const SWEEP_GRACE: Duration = Duration::from_secs(2);
/// How long the provider may be silent in the middle of an answer, in milliseconds.
const STREAM_IDLE_MS: u64 = 60_000;
/// How long an answer of the provider may take to begin, in milliseconds, and how often it is asked again. Together they
/// stay below [`AgentConfig::provider`], which ends what these do not.
const API_TIMEOUT_MS: u64 = 60_000;
const RETRIES: u32 = 4;

impl Agent {
    /// An agent that is ready for turns. What an earlier console has left running is ended first; it blocks for that.
    pub fn new(parts: AgentParts) -> Result<Self, AgentError> {
        let AgentParts { config, data_dir, .. } = parts;
        let definition::Read { definition, house } = definition::read(parts.agents_dir.as_deref(), &config.name)?;
        let path = config.env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
        let reach = Reach {
            bin: data_dir.join("agent").join("bin"),
            console: parts.console,
            target: parts.target,
            target_name: parts.target_name,
            path: path.unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
        };
        reach.prepare(&config.program).map_err(|source| AgentError::Folder { path: reach.bin.clone(), source })?;
        for left in keeper::end_marked(CONSOLE_MARK, &mark_of(&data_dir), SWEEP_GRACE) {
            tracing::warn!(
                pid = left.pid,
                command = left.command,
                "ended what the last console's agent had left running"
            );
        }
        Ok(Agent {
            pool: Pool::new(parts.most_processes, config.idle),
            config,
            definition,
            house,
            store: parts.store,
            tokens: parts.tokens,
            reach,
            key_socket: parts.key_socket,
            data_dir,
            child_env: parts.child_env,
            output_bytes: parts.output_bytes,
            allowed: Mutex::default(),
            once: Mutex::default(),
        })
    }

    /// The CLI in a session's folder.
    fn invocation(&self, attempt: &Attempt, model: Option<String>, session: &SessionId, dir: &Path) -> Invocation {
        let mut env = self.config.env.clone();
        let mut set = |name: &str, value: String| {
            env.retain(|(other, _)| other != name);
            env.push((name.to_owned(), value));
        };
        set("PATH", self.reach.path());
        set(TURN_FILE, reach::turn_file(dir).display().to_string());
        set(CONSOLE_MARK, mark_of(&self.data_dir));
        set(SESSION_MARK, session.to_string());
        if !self.config.env.iter().any(|(name, home)| name == "HOME" && !home.is_empty()) {
            set("HOME", self.data_dir.join("agent").display().to_string());
        }
        if let Some(socket) = &self.key_socket {
            set("SSH_AUTH_SOCK", socket.display().to_string());
        }
        Invocation {
            program: self.config.claude.clone(),
            protocol: attempt.protocol,
            conversation: attempt.conversation.clone(),
            definition: self.definition.clone(),
            model,
            autonomous: self.config.permissions == Permissions::Autonomous,
            dir: dir.to_owned(),
            env,
            key: self.config.api_key.as_ref().map(|key| key.expose().to_owned()),
            stream_idle_ms: STREAM_IDLE_MS,
            api_timeout_ms: API_TIMEOUT_MS,
            retries: RETRIES,
            file_bytes: Some(self.config.file_bytes).filter(|bytes| *bytes > 0),
        }
    }

    /// The command line by which this program is a keeper.
    fn keeper(&self) -> [OsString; 2] {
        keeper_of(&self.config.program)
    }

    fn first_attempt(&self, known: Option<&str>, session: &SessionId) -> Attempt {
        let protocol = if *super::sessions::locked(&self.once) { Protocol::Once } else { Protocol::Control };
        let conversation = match known {
            Some(id) => Conversation::Resume(id.to_owned()),
            None => Conversation::Open(session.to_string()),
        };
        Attempt { protocol, conversation }
    }
}

/// The command line by which `program` is a keeper.
pub fn keeper_of(program: &Path) -> [OsString; 2] {
    [program.into(), "keep".into()]
}

/// The value of [`CONSOLE_MARK`]: the data directory, of which only one console makes use.
fn mark_of(data_dir: &Path) -> String {
    data_dir.display().to_string()
}

/// A backend of an agent that is shared.
pub struct AgentBackend(pub Arc<Agent>);

impl Backend for AgentBackend {
    fn takes_messages(&self) -> bool {
        true
    }

    fn run(&self, turn: Turn) -> BoxFuture<'static, Result<Finished, TurnError>> {
        Box::pin(turn::run(Arc::clone(&self.0), turn))
    }

    fn end(&self) -> BoxFuture<'static, ()> {
        let agent = Arc::clone(&self.0);
        Box::pin(async move { agent.pool.end().await })
    }
}

/// Whether a program of that name can be started: as a path, or in one of the folders of `path`.
pub fn is_program(name: &Path, path: &str) -> bool {
    if name.components().count() > 1 {
        return name.is_file();
    }
    std::env::split_paths(path).any(|folder| folder.join(name).is_file())
}
