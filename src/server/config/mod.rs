//! The configuration: command line over environment over TOML file over default. This is the only place that reads
//! the environment, and it does so once.
//!
//! [`Settings`] is what can be said, all of it optional; [`Config`] is what the rest of the server works with.

use std::{
    ffi::OsString,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use serde::Deserialize;

mod agent;
mod settings;

pub use agent::{AgentConfig, AgentSurroundings};
pub use settings::{BackendChoice, HostKeys, Permissions, Settings};

use super::{
    power::hypervisor::{Hypervisor, PveSsh},
    ssh::{HostKey, Ssh},
    target::Target,
};

/// A text that must not be shown: its `Debug` shows nothing.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one comparison that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret(text.to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file {path}: {source}: see --config and BREAKGLASS_CONFIG")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the configuration file {path} is wrong: {source}")]
    Malformed { path: PathBuf, source: Box<toml::de::Error> },
    #[error("the listen address {text:?} is not of the form 127.0.0.1:8080")]
    Listen { text: String },
    #[error("the public origin {text:?} is not of the form https://console.example, without a path")]
    Origin { text: String },
    #[error("{name} is {value:?}, which ssh would take for something else: use a plain host or user name")]
    SshName { name: &'static str, value: String },
    #[error("{name} is 0 and must be at least 1")]
    Zero { name: &'static str },
    #[error("BREAKGLASS_AGENT_ENV has {text:?}, which is not of the form NAME=VALUE")]
    AgentEnv { text: String },
    #[error("BREAKGLASS_AGENT is {text:?}: give the name of a file in the agents folder, without folder and ending")]
    AgentName { text: String },
    #[error("no data directory: set BREAKGLASS_DATA_DIR, since there is no HOME")]
    NoDataDir,
}

/// What was found in the environment besides settings: read here so that nobody else has to.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// `API_BEARER_TOKEN`, which is not a flag because an argv is readable by all.
    pub bearer: Option<Secret>,
    /// The variables that child processes get, and no others.
    pub child_env: Vec<(OsString, OsString)>,
    /// What is there for the agent.
    pub agent: AgentSurroundings,
    /// The invoking user's home.
    pub home: Option<PathBuf>,
}

/// The names that children inherit. Nothing secret is among them.
const CHILD_ENV: [&str; 9] = ["PATH", "HOME", "LANG", "LC_ALL", "TERM", "TZ", "USER", "LOGNAME", "SSH_AUTH_SOCK"];

impl Surroundings {
    /// Reads the environment.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn read() -> Self {
        let child_env =
            CHILD_ENV.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))).collect();
        Surroundings {
            bearer: std::env::var("API_BEARER_TOKEN").ok().as_deref().map(Secret::from),
            child_env,
            agent: AgentSurroundings {
                api_key: std::env::var("ANTHROPIC_API_KEY").ok().as_deref().map(Secret::from),
                env: agent::INHERITED
                    .iter()
                    .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
                    .collect(),
                program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("breakglass")),
            },
            home: std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from),
        }
    }
}

/// The configuration as the server uses it: complete and checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub practice: bool,
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub site_root: PathBuf,
    pub agents_dir: Option<PathBuf>,
    /// What the house changes in the presets.
    pub presets: Option<PathBuf>,
    pub backend: BackendChoice,
    pub target_name: String,
    /// By what presets may name it: its name and its host.
    pub target_names: Vec<String>,
    /// What everybody should know of it.
    pub target_note: Option<String>,
    /// What to use when the hypervisor itself is gone.
    pub fallback: Option<String>,
    pub target: Target,
    pub hypervisor: Hypervisor,
    pub auth: AuthConfig,
    pub limits: Limits,
    /// Whether the target is looked at after what may have changed it.
    pub checks: bool,
    pub child_env: Vec<(OsString, OsString)>,
    pub agent: AgentConfig,
}

/// Who is let in.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    pub bearer: Option<Secret>,
    pub user_header: String,
    pub trusted_proxies: Vec<IpNet>,
    /// Scheme and authority, lower case, without a trailing slash.
    pub public_origin: Option<String>,
}

impl AuthConfig {
    /// True when a program on this machine could name any operator in the proxy's header.
    pub fn believes_this_machine(&self) -> bool {
        let here: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        self.trusted_proxies.iter().any(|network| here.iter().any(|address| network.contains(address)))
    }
}

/// The numbers.
#[derive(Clone, Debug)]
pub struct Limits {
    pub max_concurrent_turns: usize,
    pub turn: Duration,
    pub command: Duration,
    pub command_output_bytes: usize,
    pub verb: Duration,
    pub verb_output_bytes: usize,
    pub keepalive: Duration,
    pub slow_reader: Duration,
    /// From which age on what is known of the target is looked at anew.
    pub probe: Duration,
    pub prompt_bytes: usize,
    pub body_bytes: usize,
    pub store_bytes: u64,
    /// How long a session is kept in which nothing happens; for ever where there is none.
    pub retention: Option<Duration>,
    pub disk_warn_bytes: u64,
}

impl Settings {
    /// Checks everything and fills in what was not said.
    pub fn resolve(self, surroundings: Surroundings) -> Result<Config, ConfigError> {
        let mut settings = self.over_file()?;
        // The agent's ssh reads it from another folder.
        settings.ssh_config = settings.ssh_config.map(|path| std::path::absolute(&path).unwrap_or(path));
        let listen = settings.listen.clone().unwrap_or_else(|| "127.0.0.1:8080".into());
        let listen = listen.parse().map_err(|_| ConfigError::Listen { text: listen.clone() })?;
        let data_dir = match settings.data_dir.clone() {
            Some(dir) => dir,
            None => surroundings.home.ok_or(ConfigError::NoDataDir)?.join(".local/share/breakglass"),
        };
        let data_dir = std::path::absolute(&data_dir).unwrap_or(data_dir);
        let practice = settings.practice.unwrap_or(false);
        let default_name = if practice { "this machine" } else { "devvm" };
        let target_name = settings.target_name.clone().unwrap_or_else(|| default_name.into());
        let target_names = std::iter::once(target_name.clone()).chain(settings.devvm_host.clone()).collect();
        let agent = AgentConfig::of(&settings, surroundings.agent, practice, &data_dir)?;
        let (target, hypervisor) = if practice {
            (Target::ThisMachine, Hypervisor::Practice(data_dir.join("practice")))
        } else {
            // Who wrote an SSH configuration said in it what is to be done about host keys.
            let left = if settings.ssh_config.is_some() { HostKeys::Off } else { HostKeys::Pin };
            let pins = settings.host_keys.unwrap_or(left) == HostKeys::Pin;
            let ssh = |name, user: Option<String>, host: Option<String>, alias: &str, pinned: HostKey| {
                let host_key = if pins { pinned } else { HostKey::Configured };
                for (what, value) in [("user", &user), ("host", &host)] {
                    if let Some(value) = value
                        && !is_ssh_name(value)
                    {
                        return Err(ConfigError::SshName {
                            name: if what == "user" { user_setting(name) } else { name },
                            value: value.clone(),
                        });
                    }
                }
                Ok(match (host, &settings.ssh_config) {
                    (Some(host), config) => {
                        let destination = user.map_or(host.clone(), |user| format!("{user}@{host}"));
                        Some(Ssh::new(destination, config.clone(), host_key))
                    }
                    (None, Some(config)) => Some(Ssh::new(alias.to_owned(), Some(config.clone()), host_key)),
                    (None, None) => None,
                })
            };
            let pve_user = settings.pve_user.or_else(|| settings.pve_host.is_some().then(|| "root".to_owned()));
            let pinned = HostKey::Pinned(data_dir.join("hypervisor_host_key"));
            (
                ssh("BREAKGLASS_DEVVM_HOST", settings.devvm_user, settings.devvm_host, "devvm", HostKey::Watched)?
                    .map_or(Target::Unconfigured, Target::Ssh),
                ssh("BREAKGLASS_PVE_HOST", pve_user, settings.pve_host, "pve", pinned)?
                    .map_or(Hypervisor::Unconfigured, |ssh| Hypervisor::Ssh(PveSsh(ssh))),
            )
        };
        Ok(Config {
            agent,
            practice,
            listen,
            site_root: settings.site_root.unwrap_or_else(default_site_root),
            data_dir,
            agents_dir: settings.agents_dir,
            presets: settings.presets,
            backend: settings.backend.unwrap_or_default(),
            target_name,
            target_names,
            target_note: said(settings.target_note),
            fallback: said(settings.fallback),
            target,
            hypervisor,
            auth: AuthConfig {
                bearer: surroundings.bearer.or(settings.api_bearer_token).filter(|token| !token.expose().is_empty()),
                user_header: settings.user_header.unwrap_or_else(|| "x-authentik-username".into()),
                trusted_proxies: settings.trusted_proxies.unwrap_or_default(),
                public_origin: settings.public_origin.map(checked_origin).transpose()?,
            },
            limits: Limits {
                max_concurrent_turns: at_least_one("max_concurrent_turns", settings.max_concurrent_turns, 2)?,
                turn: seconds("turn_timeout_seconds", settings.turn_timeout_seconds, 1800)?,
                command: seconds("command_timeout_seconds", settings.command_timeout_seconds, 20)?,
                command_output_bytes: settings.command_output_max_bytes.unwrap_or(256 << 10),
                verb: seconds("pve_verb_timeout_seconds", settings.pve_verb_timeout_seconds, 120)?,
                verb_output_bytes: settings.pve_output_max_bytes.unwrap_or(1 << 20),
                keepalive: seconds("sse_keepalive_seconds", settings.sse_keepalive_seconds, 20)?,
                slow_reader: seconds("slow_reader_seconds", settings.slow_reader_seconds, 30)?,
                probe: seconds("probe_seconds", settings.probe_seconds, 15)?,
                prompt_bytes: at_least_one("prompt_max_bytes", settings.prompt_max_bytes, 64 << 10)?,
                body_bytes: at_least_one("body_max_bytes", settings.body_max_bytes, 4 << 20)?,
                store_bytes: settings.store_max_bytes.unwrap_or(0),
                retention: settings.retention_days.filter(|days| *days > 0).map(days),
                disk_warn_bytes: settings.disk_warn_bytes.unwrap_or(256 << 20),
            },
            checks: settings.checks.unwrap_or(true),
            child_env: surroundings.child_env,
        })
    }
}

/// A text in which something stands.
fn said(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days.saturating_mul(24 * 60 * 60))
}

fn user_setting(host_setting: &'static str) -> &'static str {
    if host_setting == "BREAKGLASS_PVE_HOST" { "BREAKGLASS_PVE_USER" } else { "BREAKGLASS_DEVVM_USER" }
}

/// A name that ssh takes for a host or a user and for nothing else: no leading dash, no space, no `@`.
fn is_ssh_name(text: &str) -> bool {
    !text.starts_with('-')
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%' | '[' | ']'))
}

fn checked_origin(text: String) -> Result<String, ConfigError> {
    let origin = text.trim_end_matches('/').to_ascii_lowercase();
    let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    match rest {
        Some(authority) if !authority.is_empty() && !authority.contains(['/', '?', '#', ' ', '@']) => Ok(origin),
        _ => Err(ConfigError::Origin { text }),
    }
}

fn at_least_one(name: &'static str, said: Option<usize>, default: usize) -> Result<usize, ConfigError> {
    match said.unwrap_or(default) {
        0 => Err(ConfigError::Zero { name }),
        n => Ok(n),
    }
}

fn seconds(name: &'static str, said: Option<u64>, default: u64) -> Result<Duration, ConfigError> {
    match said.unwrap_or(default) {
        0 => Err(ConfigError::Zero { name }),
        n => Ok(Duration::from_secs(n)),
    }
}

/// `site` beside the program, as a release is laid out; else where `cargo xtask` puts it.
fn default_site_root() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("site")));
    beside.filter(|dir| dir.is_dir()).unwrap_or_else(|| PathBuf::from("target/site"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings() -> Surroundings {
        Surroundings {
            bearer: None,
            child_env: Vec::new(),
            agent: AgentSurroundings { api_key: None, env: Vec::new(), program: "breakglass".into() },
            home: Some("/home/ada".into()),
        }
    }

    #[test]
    fn nothing_said_is_a_console_that_listens_at_home_and_reaches_nothing() {
        let config = Settings::default().resolve(surroundings()).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.data_dir, PathBuf::from("/home/ada/.local/share/breakglass"));
        assert_eq!(config.target, Target::Unconfigured);
        assert_eq!(config.hypervisor, Hypervisor::Unconfigured);
        assert_eq!(config.limits.max_concurrent_turns, 2);
    }

    #[test]
    fn what_was_said_stands_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "devvm_host = \"a\"\npve_host = \"b\"\napi_bearer_token = \"s3cret\"\n").unwrap();
        let settings =
            Settings { config: Some(file.path().into()), devvm_host: Some("c".into()), ..Settings::default() };
        let config = settings.resolve(surroundings()).unwrap();
        let Target::Ssh(target) = &config.target else { panic!("no target") };
        assert_eq!(target.destination(), "c");
        let Hypervisor::Ssh(PveSsh(pve)) = &config.hypervisor else { panic!("no hypervisor") };
        assert_eq!(pve.destination(), "root@b");
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn an_ssh_configuration_alone_names_both_hosts() {
        let settings = Settings { ssh_config: Some("/etc/x".into()), ..Settings::default() };
        let config = settings.resolve(surroundings()).unwrap();
        let Target::Ssh(target) = &config.target else { panic!("no target") };
        assert_eq!(target.destination(), "devvm");
    }

    #[test]
    fn a_mistake_is_named() {
        let refused = |settings: Settings| settings.resolve(surroundings()).unwrap_err().to_string();
        assert!(refused(Settings { listen: Some("8080".into()), ..Settings::default() }).contains("\"8080\""));
        let option = Settings { devvm_host: Some("-oProxyCommand=x".into()), ..Settings::default() };
        assert!(refused(option).contains("BREAKGLASS_DEVVM_HOST"));
        let origin = Settings { public_origin: Some("console.example".into()), ..Settings::default() };
        assert!(refused(origin).contains("https://"));
        let zero = Settings { turn_timeout_seconds: Some(0), ..Settings::default() };
        assert!(refused(zero).contains("turn_timeout_seconds"));
        let file = tempfile::NamedTempFile::new().unwrap();
        let zero = Settings { probe_seconds: Some(0), ..Settings::default() };
        assert_eq!(refused(zero), "probe_seconds is 0 and must be at least 1");
        std::fs::write(&file, "host_keys = \"accept\"\n").unwrap();
        let words = refused(Settings { config: Some(file.path().into()), ..Settings::default() });
        assert!(words.contains("host_keys") && words.contains("`pin` or `off`"), "{words}");
        std::fs::write(&file, "lissten = 1\n").unwrap();
        assert!(refused(Settings { config: Some(file.path().into()), ..Settings::default() }).contains("lissten"));
    }
}
