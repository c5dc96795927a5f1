//! Everything that has I/O. In reading order: what is configured, what is made of it, what a call can do, and how a call
//! comes in.

pub mod config;

pub mod console;

pub mod sessions;

pub mod runbook;

pub mod probe;

pub mod check;

pub mod agent;

pub mod power;
pub mod presets;

pub mod store;

pub mod export;

pub mod idempotency;

pub mod auth;

pub mod http;

pub mod failure;

mod assets;
mod child;
mod claim;
mod disk;
mod flash;
mod fresh;
mod listener;
mod retention;
mod ssh;
mod target;
pub mod terminal;
pub mod verb_client;

use std::{fs::File, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, response::Response};
use domain::page::{Controls, Frame, Page, PageParts, Part, SessionList, SignIn, Surroundings};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use self::{
    agent::{Agent, AgentBackend, AgentParts, Keys},
    assets::Assets,
    auth::{Gate, agents::TurnTokens},
    check::Checker,
    claim::{again, claim},
    config::{BackendChoice, Config},
    console::{Console, Parts},
    disk::Disk,
    listener::{PatientListener, Peer},
    power::{Power, PowerConfig, Resumed},
    probe::{Prober, ProberConfig},
    runbook::Runbook,
    sessions::{
        Backends, Sessions,
        backend::{AfterTurn, Backend},
    },
    store::{Store, StoreError},
};

/// How long those who follow have to hear that the server ends.
const GOODBYE: Duration = Duration::from_secs(2);

/// A page that is being rendered.
pub type Rendered = BoxFuture<'static, Response>;

/// Makes pages of their data. It is given to the server, which knows no component.
#[derive(Clone, Copy)]
pub struct Renderer {
    pub page: fn(Page, Frame) -> Rendered,
    pub sign_in: fn(SignIn, Frame) -> Rendered,
    pub sessions: fn(SessionList, Frame) -> Rendered,
    /// The parts of a page, as HTML.
    pub parts: fn(&Controls) -> PageParts,
    /// One of them.
    pub part: fn(Part, &Controls) -> String,
    /// The list of sessions beside the console, one of which is shown there.
    pub side: fn(&SessionList, &str) -> String,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Presets(#[from] presets::PresetsError),
    #[error("another console serves {0}: end that one, or give this one its own BREAKGLASS_DATA_DIR")]
    Served(PathBuf),
    #[error("the data directory {path} cannot be claimed: {source}: it must be the console's user's own")]
    Claim { path: PathBuf, source: std::io::Error },
    #[error("the practice hypervisor cannot be set up: {0}: see that the data directory can be written")]
    Practice(std::io::Error),
    #[error("cannot listen: {0}: if another program has the address, choose another by BREAKGLASS_LISTEN")]
    Listen(std::io::Error),
    #[error(
        "people sign in at the proxy (BREAKGLASS_TRUSTED_PROXIES is set), so there are no sign-in links: open the console through the proxy"
    )]
    SignInByProxy,
}

/// A server that listens and has not begun to answer.
pub struct Server {
    listener: PatientListener,
    router: Router,
    pub console: Console,
    pub address: SocketAddr,
}

/// Makes the console of a configuration: opens the record and closes what the last server left open. `local` is where it
/// answers on this machine.
pub async fn open(mut config: Config, renderer: Renderer, local: String) -> Result<Console, StartError> {
    let presets = presets::read(&config)?;
    let redactor = export::redactor(&config);
    let store = Store::open(&config.data_dir, config.limits.store_bytes)?;
    let claimed = again(async || claim(&config.data_dir)).await?;
    config.hypervisor.prepare().map_err(StartError::Practice)?;
    let keys = Keys::load(&config).await;
    let tokens = TurnTokens::default();
    let ai = agent(&config, &keys, store.clone(), tokens.clone(), local);
    config.target = keys.target(&config.target, &keys.own);
    let surroundings = Surroundings {
        target: config.target_name.clone(),
        target_configured: config.target.is_configured(),
        hypervisor_configured: config.hypervisor.is_configured(),
        practice: config.practice,
        has_ai: ai.is_some(),
        keepalive_ms: u64::try_from(config.limits.keepalive.as_millis()).unwrap_or(u64::MAX),
    };
    let power = Power::open(power_config(&config), store.clone()).await?;
    let prober = ProberConfig {
        target: config.target.clone(),
        target_name: config.target_name.clone(),
        note: config.target_note.clone(),
        fallback: config.fallback.clone(),
        child_env: config.child_env.clone(),
        data_dir: config.data_dir.clone(),
        stale: config.limits.probe,
    };
    let prober = Arc::new(Prober::new(prober, Arc::clone(&power)));
    let checker = config.checks.then(|| Arc::new(Checker { prober: Arc::clone(&prober) }));
    let runbook = Arc::new(Runbook {
        target: config.target,
        target_name: config.target_name,
        power: Arc::clone(&power),
        limits: config.limits.clone(),
        child_env: config.child_env,
        preset_labels: presets.iter().map(|preset| preset.label.clone()).collect(),
    });
    if ai.is_some() && config.auth.believes_this_machine() {
        tracing::warn!(
            "trusted_proxies names this machine, where the agent runs: it could say that it is any operator. Let the proxy \
             run elsewhere, or reach the console by an address that the agent cannot take"
        );
    }
    let backends = Backends { ai, runbook };
    let disk = Disk { data_dir: config.data_dir.clone(), warn_bytes: config.limits.disk_warn_bytes };
    if let Some(warning) = disk.warning() {
        tracing::warn!("{warning}");
    }
    let after_turn = checker.clone().map(|checker| Box::new(checker) as Box<dyn AfterTurn>);
    let sessions = Sessions::open(store.clone(), backends, config.limits.clone(), disk.clone(), after_turn).await?;
    if let Some(keep) = config.limits.retention {
        retention::begin(store.clone(), Arc::clone(&sessions), config.agent.sessions_dir.clone(), keep);
    }
    for Resumed { run, session } in power.resume(&sessions, http::verb_answer).await {
        check::follow(&prober, checker.as_ref(), &run, session);
    }
    Ok(Console::new(Parts {
        store,
        sessions,
        power,
        presets,
        redactor,
        gate: Gate { config: config.auth, desk: auth::sign_in::Desk::default(), turns: tokens },
        once: idempotency::Once::default(),
        flashes: flash::Flashes::default(),
        assets: Assets::find(&config.site_root),
        limits: config.limits,
        surroundings,
        sessions_dir: config.agent.sessions_dir,
        renderer,
        disk,
        prober,
        checker,
        ending: CancellationToken::new(),
        _held: Held { keys, claimed },
    }))
}

/// What lives as long as the console and does nothing else.
#[derive(Debug)]
#[expect(dead_code, reason = "what it holds ends with it")]
pub struct Held {
    keys: Keys,
    claimed: File,
}

/// The agent, where there is to be one. What is wrong with it costs the agent and not the console.
fn agent(config: &Config, keys: &Keys, store: Store, tokens: TurnTokens, console: String) -> Option<Arc<dyn Backend>> {
    let path = config.agent.env.iter().rev().find(|(name, _)| name == "PATH").map_or("", |(_, path)| path);
    let wanted = match config.backend {
        BackendChoice::Runbook => false,
        BackendChoice::Claude => true,
        BackendChoice::Auto if config.practice => false,
        BackendChoice::Auto => {
            let there = agent::is_program(&config.agent.claude, path);
            if !there {
                let claude = config.agent.claude.display();
                tracing::warn!(
                    "there is no {claude}, so turns are done without AI: install it or set BREAKGLASS_CLAUDE_BIN"
                );
            }
            there
        }
    };
    if !wanted {
        return None;
    }
    let agent = Agent::new(AgentParts {
        config: config.agent.clone(),
        agents_dir: config.agents_dir.clone(),
        store,
        tokens,
        target: keys.target(&config.target, &keys.agents),
        target_name: config.target_name.clone(),
        console,
        key_socket: keys.agents.as_ref().map(|(socket, _)| socket.clone()),
        data_dir: config.data_dir.clone(),
        child_env: config.child_env.clone(),
        output_bytes: config.limits.command_output_bytes,
        most_processes: config.limits.max_concurrent_turns,
    });
    match agent {
        Ok(agent) => Some(Arc::new(AgentBackend(Arc::new(agent)))),
        Err(error) => {
            tracing::error!("{error}: turns are done without AI until this is set right");
            None
        }
    }
}

impl Server {
    /// Opens the console and binds its address.
    pub async fn bind(config: Config, renderer: Renderer) -> Result<Self, StartError> {
        // Rendering spawns; without this the first page would panic.
        let _ = any_spawner::Executor::init_tokio();
        let (listen, patience) = (config.listen, config.limits.slow_reader);
        let listener =
            again(async || PatientListener::bind(listen, patience).await).await.map_err(StartError::Listen)?;
        let address = axum::serve::Listener::local_addr(&listener).map_err(StartError::Listen)?;
        let console = open(config, renderer, local_origin(address)).await?;
        let router = http::router(console.clone());
        Ok(Server { listener, router, console, address })
    }

    /// The origin under which this console is opened: the public one, else where it listens.
    pub fn origin(&self) -> String {
        let public = self.console.gate.config.public_origin.clone();
        public.unwrap_or_else(|| local_origin(self.address))
    }

    /// A link that signs one person in once, where people sign in by code.
    pub async fn sign_in_link(&self) -> Option<String> {
        let gate = &self.console.gate;
        if !gate.has_sign_in() {
            return None;
        }
        let code = gate.desk.make_code(&self.console.store).await;
        Some(auth::sign_in::link(&self.origin(), &code))
    }

    /// True when the page's files are where they should be.
    pub fn has_assets(&self) -> bool {
        self.console.assets.exist()
    }

    /// Answers until `stop`. Then it ends the turns, tells those who follow when to come back, and goes.
    pub async fn run(self, stop: CancellationToken) -> std::io::Result<()> {
        let ending = self.console.ending.clone();
        let service = self.router.into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(self.listener, service).with_graceful_shutdown(ending.clone().cancelled_owned());
        let mut serving = std::pin::pin!(serving.into_future());
        let served = tokio::select! {
            served = &mut serving => Some(served),
            () = stop.cancelled() => None,
        };
        self.console.sessions.end_all().await;
        ending.cancel();
        match served {
            Some(served) => served,
            // A client that takes nothing is not waited for.
            None => tokio::time::timeout(GOODBYE, serving).await.unwrap_or(Ok(())),
        }
    }
}

fn power_config(config: &Config) -> PowerConfig {
    PowerConfig {
        hypervisor: config.hypervisor.clone(),
        target_name: config.target_name.clone(),
        limit: config.limits.verb,
        output_bytes: config.limits.verb_output_bytes,
        child_env: config.child_env.clone(),
    }
}

/// How the console is opened from its own machine. One that listens everywhere is not opened at "everywhere".
pub fn local_origin(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_unspecified() => format!("http://localhost:{}", address.port()),
        _ => format!("http://{address}"),
    }
}
