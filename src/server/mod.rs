//! Everything that has I/O. In reading order: what is configured, what is made of it, what a call can do, and how a call
//! comes in.

pub mod config;

pub mod console;

pub mod sessions;

pub mod runbook;

pub mod power;

pub mod store;

pub mod idempotency;

pub mod auth;

pub mod http;

pub mod failure;

mod assets;
mod child;
mod flash;
mod fresh;
mod listener;
mod ssh;
mod target;

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, response::Response};
use domain::{
    page::{AssetNames, Page, SignIn, Surroundings},
    preset::Presets,
};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use self::{
    assets::Assets,
    auth::Gate,
    config::{BackendChoice, Config},
    console::{Console, Parts},
    listener::{PatientListener, Peer},
    power::{Power, PowerConfig},
    runbook::Runbook,
    sessions::{Backends, Sessions},
    store::{Store, StoreError},
};

/// A page that is being rendered.
pub type Rendered = BoxFuture<'static, Response>;

/// Makes pages of their data. It is given to the server, which knows no component.
#[derive(Clone, Copy)]
pub struct Renderer {
    pub page: fn(Page, AssetNames) -> Rendered,
    pub sign_in: fn(SignIn, AssetNames) -> Rendered,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot read the presets {path}: {source}")]
    PresetsUnreadable { path: std::path::PathBuf, source: std::io::Error },
    #[error("the presets {path} are wrong: {source}")]
    PresetsMalformed { path: String, source: Box<toml::de::Error> },
    #[error("the practice hypervisor cannot be set up: {0}")]
    Practice(std::io::Error),
    #[error("{0}")]
    Listen(std::io::Error),
    #[error("people sign in at the proxy (BREAKGLASS_TRUSTED_PROXIES is set), so there are no sign-in links")]
    SignInByProxy,
}

/// A server that listens and has not begun to answer.
pub struct Server {
    listener: PatientListener,
    router: Router,
    pub console: Console,
    pub address: SocketAddr,
}

/// The presets that are built in, so that the program needs no file beside it.
const PRESETS: &str = include_str!("../../agents/presets.toml");

fn read_presets(config: &Config) -> Result<Presets, StartError> {
    let (path, text) = match &config.agents_dir {
        Some(folder) => {
            let path = folder.join("presets.toml");
            let text = std::fs::read_to_string(&path)
                .map_err(|source| StartError::PresetsUnreadable { path: path.clone(), source })?;
            (path.display().to_string(), text)
        }
        None => ("built in".to_owned(), PRESETS.to_owned()),
    };
    toml::from_str(&text).map_err(|source| StartError::PresetsMalformed { path, source: Box::new(source) })
}

/// Makes the console of a configuration: opens the record and closes what the last server left open.
pub async fn open(config: Config, renderer: Renderer) -> Result<Console, StartError> {
    let presets = read_presets(&config)?;
    let store = Store::open(&config.data_dir, config.limits.store_bytes)?;
    config.hypervisor.prepare().map_err(StartError::Practice)?;
    let surroundings = Surroundings {
        target: config.target_name.clone(),
        target_configured: config.target.is_configured(),
        hypervisor_configured: config.hypervisor.is_configured(),
        practice: config.practice,
        has_ai: false,
    };
    let power = Power::open(
        PowerConfig {
            hypervisor: config.hypervisor,
            target_name: config.target_name.clone(),
            limit: config.limits.verb,
            output_bytes: config.limits.verb_output_bytes,
            child_env: config.child_env.clone(),
        },
        store.clone(),
    )
    .await?;
    let runbook = Arc::new(Runbook {
        target: config.target,
        target_name: config.target_name,
        power: Arc::clone(&power),
        limits: config.limits.clone(),
        child_env: config.child_env,
        preset_labels: presets.iter().map(|preset| preset.label.clone()).collect(),
    });
    let backends = match config.backend {
        // There is no agent in this version, so the best there is is the runbook.
        BackendChoice::Auto | BackendChoice::Runbook => Backends { ai: None, runbook },
    };
    let sessions = Sessions::open(store.clone(), backends, config.limits.clone()).await?;
    Power::close_abandoned(store.clone(), Arc::clone(&sessions)).await;
    Ok(Console::new(Parts {
        store,
        sessions,
        power,
        presets,
        gate: Gate { config: config.auth, desk: auth::sign_in::Desk::default() },
        once: idempotency::Once::default(),
        flashes: flash::Flashes::default(),
        assets: Assets::find(&config.site_root),
        limits: config.limits,
        surroundings,
        renderer,
    }))
}

impl Server {
    /// Opens the console and binds its address.
    pub async fn bind(config: Config, renderer: Renderer) -> Result<Self, StartError> {
        // Rendering spawns; without this the first page would panic.
        let _ = any_spawner::Executor::init_tokio();
        let (listen, patience) = (config.listen, config.limits.slow_reader);
        let listener = PatientListener::bind(listen, patience).await.map_err(StartError::Listen)?;
        let address = axum::serve::Listener::local_addr(&listener).map_err(StartError::Listen)?;
        let console = open(config, renderer).await?;
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

    /// Answers until `stop`; then ends the turns and goes. Streams do not end by themselves, so they are not waited for.
    pub async fn run(self, stop: CancellationToken) -> std::io::Result<()> {
        let service = self.router.into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(self.listener, service).into_future();
        let result = tokio::select! {
            served = serving => served,
            () = stop.cancelled() => Ok(()),
        };
        self.console.sessions.end_all().await;
        result
    }
}

/// How the console is opened from its own machine. One that listens everywhere is not opened at "everywhere".
fn local_origin(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_unspecified() => format!("http://localhost:{}", address.port()),
        _ => format!("http://{address}"),
    }
}

/// Makes a sign-in link from the terminal, beside the server that runs or before it does.
pub async fn sign_in_link(config: Config) -> Result<String, StartError> {
    if !config.auth.trusted_proxies.is_empty() {
        return Err(StartError::SignInByProxy);
    }
    let store = Store::open(&config.data_dir, config.limits.store_bytes)?;
    let code = auth::sign_in::make_code(&store).await?;
    let origin = config.auth.public_origin.unwrap_or_else(|| local_origin(config.listen));
    Ok(auth::sign_in::link(&origin, &code))
}
