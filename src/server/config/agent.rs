//! The agent's part of the configuration: which CLI, with what leave, and the whole of what it and its children get to see.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{ConfigError, Permissions, Secret, Settings, seconds};

/// The names that the agent inherits, and through it whatever it runs. The console's own ssh-agent is not among them: it
/// may hold the hypervisor's key.
pub(super) const INHERITED: [&str; 17] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TERM",
    "TZ",
    "USER",
    "LOGNAME",
    "IS_SANDBOX",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
];

/// What was found in the environment for the agent.
#[derive(Clone, Debug)]
pub struct AgentSurroundings {
    /// `ANTHROPIC_API_KEY`, which is not a flag because an argv is readable by all.
    pub api_key: Option<Secret>,
    /// The variables of the allow-list that are there.
    pub env: Vec<(String, String)>,
    /// This program, which is the agent's `ssh` and its keeper too.
    pub program: PathBuf,
}

/// The agent, and what it gets.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// The Claude Code CLI.
    pub claude: PathBuf,
    /// The name of its definition.
    pub name: String,
    /// The model, where it is another than the definition's.
    pub model: Option<String>,
    pub permissions: Permissions,
    /// Holds one working directory per session.
    pub sessions_dir: PathBuf,
    /// Its environment: the allow-list and what the configuration adds.
    pub env: Vec<(String, String)>,
    pub api_key: Option<Secret>,
    /// The target's key, where it is loaded from a file.
    pub key_path: Option<PathBuf>,
    /// This program.
    pub program: PathBuf,
    /// How long a process waits for its next turn.
    pub idle: Duration,
    /// How long a permission waits for an operator.
    pub permission: Duration,
    /// Silence after which the transcript says what it waits for.
    pub silence: Duration,
    /// How long the provider may get nowhere.
    pub provider: Duration,
    /// Largest output that is kept whole, in bytes.
    pub output_bytes: u64,
    /// Largest file that it and its commands may write on this machine, in bytes; 0 for no limit but the disk's.
    pub file_bytes: u64,
}

impl AgentConfig {
    /// What the configuration adds to its environment, which may be secret.
    pub fn added_env(&self) -> impl Iterator<Item = &str> {
        self.env.iter().filter(|(name, _)| !INHERITED.contains(&name.as_str())).map(|(_, value)| value.as_str())
    }

    pub(super) fn of(
        settings: &Settings,
        surroundings: AgentSurroundings,
        practice: bool,
        data_dir: &Path,
    ) -> Result<Self, ConfigError> {
        let AgentSurroundings { api_key, mut env, program } = surroundings;
        for text in settings.agent_env.iter().flatten() {
            match text.split_once('=') {
                Some((name, value)) if !name.is_empty() => env.push((name.to_owned(), value.to_owned())),
                _ => return Err(ConfigError::AgentEnv { text: text.clone() }),
            }
        }
        let api_key = api_key.or_else(|| settings.anthropic_api_key.clone());
        let name = settings.agent.clone().unwrap_or_else(|| "breakglass".into());
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            return Err(ConfigError::AgentName { text: name });
        }
        let default_permissions = if practice { Permissions::Ask } else { Permissions::Autonomous };
        Ok(AgentConfig {
            // A plain name is looked for in the agent's PATH; a path is one from here, not from the agent's folder.
            claude: match settings.claude_bin.clone() {
                Some(path) if path.components().count() > 1 => absolute(path),
                name => name.unwrap_or_else(|| "claude".into()),
            },
            name,
            model: settings.model.clone(),
            permissions: settings.permissions.unwrap_or(default_permissions),
            sessions_dir: absolute(settings.sessions_dir.clone().unwrap_or_else(|| data_dir.join("sessions"))),
            env,
            api_key: api_key.filter(|key| !key.expose().is_empty()),
            key_path: settings.key_path.clone().map(absolute),
            program,
            idle: seconds("agent_idle_seconds", settings.agent_idle_seconds, 120)?,
            permission: seconds("permission_timeout_seconds", settings.permission_timeout_seconds, 600)?,
            silence: seconds("agent_silence_seconds", settings.agent_silence_seconds, 30)?,
            provider: seconds("provider_timeout_seconds", settings.provider_timeout_seconds, 240)?,
            output_bytes: settings.agent_output_max_bytes.unwrap_or(16 << 20),
            file_bytes: settings.agent_file_max_bytes.unwrap_or(1 << 30),
        })
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
