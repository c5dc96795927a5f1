//! What can be said: every setting once, as a flag, an environment variable and a key of the TOML file. Nothing here has a
//! default or is checked; that is [`super::Config`]'s.

use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;
use serde::Deserialize;

use super::{ConfigError, Secret};

/// Everything that can be configured. Each field is a flag of `breakglass serve`, an environment variable and a key of
/// the TOML file (the flag's name with underscores).
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// TOML file with any of these settings, the flags' names with underscores
    #[arg(long, env = "BREAKGLASS_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Practice mode: this machine as target and a practice hypervisor
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub practice: Option<bool>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "BREAKGLASS_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Folder for sessions, runs and sign-ins, created with mode 0700 [default: ~/.local/share/breakglass]
    #[arg(long, env = "BREAKGLASS_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Folder of the page's files [default: `site` beside the program, else target/site]
    #[arg(long, env = "LEPTOS_SITE_ROOT", value_name = "FOLDER")]
    pub site_root: Option<PathBuf>,
    /// Folder with the agent's NAME.md, presets.toml and local.md, as far as they are there [default: what is built in]
    #[arg(long, env = "BREAKGLASS_AGENTS_DIR", value_name = "FOLDER")]
    pub agents_dir: Option<PathBuf>,
    /// TOML file that adds, changes, orders and hides presets [default: the five as they are]
    #[arg(long, env = "BREAKGLASS_PRESETS", value_name = "FILE")]
    pub presets: Option<PathBuf>,
    /// Who does the turns: the best there is, or the runbook, which needs no AI [default: auto]
    #[arg(long, env = "BREAKGLASS_BACKEND", value_name = "auto|claude|runbook")]
    pub backend: Option<BackendChoice>,
    /// The Claude Code CLI [default: claude]
    #[arg(long, env = "BREAKGLASS_CLAUDE_BIN", value_name = "PROGRAM")]
    pub claude_bin: Option<PathBuf>,
    /// The agent's definition: NAME.md in the agents folder [default: breakglass]
    #[arg(long, env = "BREAKGLASS_AGENT", value_name = "NAME")]
    pub agent: Option<String>,
    /// The agent's model [default: what its definition says]
    #[arg(long, env = "BREAKGLASS_MODEL", value_name = "MODEL")]
    pub model: Option<String>,
    /// Whether the agent acts alone or asks before it changes something [default: autonomous; in practice mode ask]
    #[arg(long, env = "BREAKGLASS_PERMISSIONS", value_name = "autonomous|ask")]
    pub permissions: Option<Permissions>,
    /// Folder with one working directory per session [default: `sessions` in the data directory]
    #[arg(long, env = "BREAKGLASS_SESSIONS_DIR", value_name = "FOLDER")]
    pub sessions_dir: Option<PathBuf>,
    /// Variables that the agent gets beside the allow-list, never a secret; several are separated by semicolons
    #[arg(long, env = "BREAKGLASS_AGENT_ENV", value_name = "NAME=VALUE", value_delimiter = ';')]
    pub agent_env: Option<Vec<String>>,
    /// Private key for the target; loaded into an ssh-agent of the console's own, never copied
    #[arg(long, env = "BREAKGLASS_KEY_PATH", value_name = "FILE")]
    pub key_path: Option<PathBuf>,
    /// How long an agent's process waits for its next turn [default: 120]
    #[arg(long, env = "BREAKGLASS_AGENT_IDLE_SECONDS", value_name = "SECONDS")]
    pub agent_idle_seconds: Option<u64>,
    /// How long a permission waits for an operator; then it is denied [default: 600]
    #[arg(long, env = "BREAKGLASS_PERMISSION_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub permission_timeout_seconds: Option<u64>,
    /// Silence of the agent after which the transcript says what it waits for [default: 30]
    #[arg(long, env = "BREAKGLASS_AGENT_SILENCE_SECONDS", value_name = "SECONDS")]
    pub agent_silence_seconds: Option<u64>,
    /// How long the model's provider may get nowhere before the turn is ended [default: 240]
    #[arg(long, env = "BREAKGLASS_PROVIDER_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub provider_timeout_seconds: Option<u64>,
    /// Largest output of one of the agent's tools that is kept whole [default: 16777216]
    #[arg(long, env = "BREAKGLASS_AGENT_OUTPUT_MAX_BYTES", value_name = "BYTES")]
    pub agent_output_max_bytes: Option<u64>,
    /// The target's name, as people call it [default: devvm]
    #[arg(long, env = "BREAKGLASS_TARGET_NAME", value_name = "NAME")]
    pub target_name: Option<String>,
    /// What everybody should know of the target; stands beside its controls
    #[arg(long, env = "BREAKGLASS_TARGET_NOTE", value_name = "TEXT")]
    pub target_note: Option<String>,
    /// What to use when the hypervisor itself is gone; shown when it does not answer
    #[arg(long, env = "BREAKGLASS_FALLBACK", value_name = "TEXT")]
    pub fallback: Option<String>,
    /// Whether host keys are pinned on first use, or left to ssh's own configuration [default: pin; with an SSH configuration off]
    #[arg(long, env = "BREAKGLASS_HOST_KEYS", value_name = "pin|off")]
    pub host_keys: Option<HostKeys>,
    /// Host name or address of the target
    #[arg(long, env = "BREAKGLASS_DEVVM_HOST", value_name = "HOST")]
    pub devvm_host: Option<String>,
    /// User to sign in as on the target
    #[arg(long, env = "BREAKGLASS_DEVVM_USER", value_name = "USER")]
    pub devvm_user: Option<String>,
    /// Host name or address of the hypervisor
    #[arg(long, env = "BREAKGLASS_PVE_HOST", value_name = "HOST")]
    pub pve_host: Option<String>,
    /// User to sign in as on the hypervisor [default: root]
    #[arg(long, env = "BREAKGLASS_PVE_USER", value_name = "USER")]
    pub pve_user: Option<String>,
    /// File for `ssh -F`; without hosts, its `devvm` and `pve` are used
    #[arg(long, env = "BREAKGLASS_SSH_CONFIG", value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// Token that scripts send as `Authorization: Bearer …`
    #[arg(skip)]
    pub api_bearer_token: Option<Secret>,
    /// Key of the model's provider
    #[arg(skip)]
    pub anthropic_api_key: Option<Secret>,
    /// Largest file that the agent's commands may write on this machine; 0 for no limit but the disk's [default: 1073741824]
    #[arg(long, env = "BREAKGLASS_AGENT_FILE_MAX_BYTES", value_name = "BYTES")]
    pub agent_file_max_bytes: Option<u64>,
    /// Header in which a trusted proxy names the user [default: x-authentik-username]
    #[arg(long, env = "BREAKGLASS_USER_HEADER", value_name = "HEADER")]
    pub user_header: Option<String>,
    /// Networks of the proxies that are believed, as CIDR; none: the header is never believed
    #[arg(long, env = "BREAKGLASS_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// Origin under which people open the console, such as https://console.example
    #[arg(long, env = "BREAKGLASS_PUBLIC_ORIGIN", value_name = "ORIGIN")]
    pub public_origin: Option<String>,
    /// Turns that may run at once, in all sessions [default: 2]
    #[arg(long, env = "BREAKGLASS_MAX_CONCURRENT_TURNS", value_name = "N")]
    pub max_concurrent_turns: Option<usize>,
    /// Time limit of a turn [default: 1800]
    #[arg(long, env = "BREAKGLASS_TURN_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub turn_timeout_seconds: Option<u64>,
    /// Time limit of one command on the target [default: 20]
    #[arg(long, env = "BREAKGLASS_COMMAND_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub command_timeout_seconds: Option<u64>,
    /// Output that is kept of one command on the target [default: 262144]
    #[arg(long, env = "BREAKGLASS_COMMAND_OUTPUT_MAX_BYTES", value_name = "BYTES")]
    pub command_output_max_bytes: Option<usize>,
    /// Time limit of a verb [default: 120]
    #[arg(long, env = "BREAKGLASS_PVE_VERB_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub pve_verb_timeout_seconds: Option<u64>,
    /// Output that is kept of one run of a verb [default: 1048576]
    #[arg(long, env = "BREAKGLASS_PVE_OUTPUT_MAX_BYTES", value_name = "BYTES")]
    pub pve_output_max_bytes: Option<usize>,
    /// Longest silence on a stream before a heartbeat [default: 20]
    #[arg(long, env = "BREAKGLASS_SSE_KEEPALIVE_SECONDS", value_name = "SECONDS")]
    pub sse_keepalive_seconds: Option<u64>,
    /// How long a reader may take nothing before it is cut off [default: 30]
    #[arg(long, env = "BREAKGLASS_SLOW_READER_SECONDS", value_name = "SECONDS")]
    pub slow_reader_seconds: Option<u64>,
    /// Longest prompt [default: 65536]
    #[arg(long, env = "BREAKGLASS_PROMPT_MAX_BYTES", value_name = "BYTES")]
    pub prompt_max_bytes: Option<usize>,
    /// Longest body of a request [default: 4194304]
    #[arg(long, env = "BREAKGLASS_BODY_MAX_BYTES", value_name = "BYTES")]
    pub body_max_bytes: Option<usize>,
    /// Largest database; 0 for no limit but the disk's [default: 0]
    #[arg(long, env = "BREAKGLASS_STORE_MAX_BYTES", value_name = "BYTES")]
    pub store_max_bytes: Option<u64>,
    /// Look at the target after what may have changed it, and record what was seen [default: true]
    #[arg(long, env = "BREAKGLASS_CHECKS", value_name = "true|false")]
    pub checks: Option<bool>,
    /// Age from which what is known of the target is looked at anew, while somebody looks at the console [default: 15]
    #[arg(long, env = "BREAKGLASS_PROBE_SECONDS", value_name = "SECONDS")]
    pub probe_seconds: Option<u64>,
    /// Sessions and runs in which nothing happened for so many days are deleted; 0 keeps all of them [default: 0]
    #[arg(long, env = "BREAKGLASS_RETENTION_DAYS", value_name = "DAYS")]
    pub retention_days: Option<u64>,
    /// Free space on the disk of the data directory below which everyone is warned; 0 never [default: 268435456]
    #[arg(long, env = "BREAKGLASS_DISK_WARN_BYTES", value_name = "BYTES")]
    pub disk_warn_bytes: Option<u64>,
}

/// Who does the turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum BackendChoice {
    /// The agent where its CLI is installed, else the runbook; in practice mode the runbook.
    #[default]
    Auto,
    /// The Claude Code CLI.
    Claude,
    /// The presets' commands and the rules that read them; no AI.
    Runbook,
}

/// Whether the agent acts alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Permissions {
    /// It acts when the evidence supports it.
    Autonomous,
    /// An operator decides before anything is changed.
    Ask,
}

/// What is done about host keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum HostKeys {
    /// Pinned on first use. Another one of the hypervisor's is refused, another one of the target's warned of.
    Pin,
    /// Left to ssh and its configuration.
    Off,
}

impl Settings {
    /// Lays these settings (command line and environment) over those of the configuration file, if one is named.
    pub(super) fn over_file(self) -> Result<Settings, ConfigError> {
        let Some(path) = self.config.clone() else {
            return Ok(self);
        };
        let text =
            std::fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
        let file: Settings = toml::from_str(&text)
            .map_err(|source| ConfigError::Malformed { path: path.clone(), source: Box::new(source) })?;
        macro_rules! over {
            ($($field:ident),* $(,)?) => { Settings { $($field: self.$field.or(file.$field)),* } };
        }
        Ok(over!(
            config,
            practice,
            listen,
            data_dir,
            site_root,
            agents_dir,
            presets,
            backend,
            claude_bin,
            agent,
            model,
            permissions,
            sessions_dir,
            agent_env,
            key_path,
            agent_idle_seconds,
            permission_timeout_seconds,
            agent_silence_seconds,
            provider_timeout_seconds,
            agent_output_max_bytes,
            agent_file_max_bytes,
            anthropic_api_key,
            target_name,
            target_note,
            fallback,
            host_keys,
            devvm_host,
            devvm_user,
            pve_host,
            pve_user,
            ssh_config,
            api_bearer_token,
            user_header,
            trusted_proxies,
            public_origin,
            max_concurrent_turns,
            turn_timeout_seconds,
            command_timeout_seconds,
            command_output_max_bytes,
            pve_verb_timeout_seconds,
            pve_output_max_bytes,
            sse_keepalive_seconds,
            slow_reader_seconds,
            prompt_max_bytes,
            body_max_bytes,
            store_max_bytes,
            checks,
            probe_seconds,
            retention_days,
            disk_warn_bytes,
        ))
    }
}
