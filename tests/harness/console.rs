//! A real console on port 0: the real router behind the real listener, a real record in a temporary folder. Clients
//! attach over HTTP and fold what they read, as the page does.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use breakglass::{
    render::renderer,
    server::{
        Server,
        config::{AgentSurroundings, Secret, Settings, Surroundings},
    },
};
use domain::{
    event::{Entry, Event},
    sse::{Decoder, Frame},
    transcript::Transcript,
};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The bearer token of every console in these tests.
pub const TOKEN: &str = "a-token-for-tests";

/// How long anything may take before a test fails: generous, because it is only ever reached by a fault.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A console that answers. Dropping it ends its listener; [`Console::end`] ends it in an orderly way.
pub struct Console {
    pub base: String,
    pub http: Client,
    stop: CancellationToken,
    served: Option<tokio::task::JoinHandle<()>>,
    data: Data,
}

/// Where a console keeps its record: a folder of its own, or one that the test shares between two of them.
enum Data {
    Own(TempDir),
    Shared(PathBuf),
}

/// Settings of a console in practice mode, which a test then changes.
pub fn practice() -> Settings {
    Settings { practice: Some(true), ..Settings::default() }
}

/// What `Surroundings::read` would have found, were the token in the environment.
pub fn surroundings() -> Surroundings {
    let child_env = vec![("PATH".into(), "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into())];
    Surroundings {
        bearer: Some(Secret::from(TOKEN)),
        child_env,
        agent: AgentSurroundings { api_key: None, env: Vec::new(), program: env!("CARGO_BIN_EXE_breakglass").into() },
        home: None,
    }
}

impl Console {
    /// A console in practice mode.
    pub async fn practice() -> Self {
        Self::start(practice()).await
    }

    /// A console with these settings and a record of its own.
    pub async fn start(settings: Settings) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().to_owned();
        Self::open(settings, path, Data::Own(folder)).await
    }

    /// A console with these settings on a record that the test keeps.
    pub async fn start_in(settings: Settings, folder: &Path) -> Self {
        Self::open(settings, folder.to_owned(), Data::Shared(folder.to_owned())).await
    }

    /// A console with these settings and surroundings, on a record that the test keeps.
    pub async fn start_with(settings: Settings, surroundings: Surroundings, folder: &Path) -> Self {
        Self::open_with(settings, surroundings, folder.to_owned(), Data::Shared(folder.to_owned())).await
    }

    async fn open(settings: Settings, folder: PathBuf, data: Data) -> Self {
        Self::open_with(settings, surroundings(), folder, data).await
    }

    async fn open_with(settings: Settings, surroundings: Surroundings, folder: PathBuf, data: Data) -> Self {
        let settings = Settings {
            listen: Some("127.0.0.1:0".into()),
            data_dir: Some(folder),
            site_root: settings.site_root.or_else(|| Some("/nonexistent".into())),
            ..settings
        };
        let config = settings.resolve(surroundings).unwrap();
        let server = Server::bind(config, renderer()).await.unwrap();
        let base = format!("http://{}", server.address);
        let stop = CancellationToken::new();
        let ended = stop.clone();
        let served = tokio::spawn(async move {
            server.run(ended).await.unwrap();
        });
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Console { base, http, stop, served: Some(served), data }
    }

    /// Ends it as SIGTERM does, and waits.
    pub async fn end(mut self) {
        self.stop.cancel();
        if let Some(served) = self.served.take() {
            served.await.unwrap();
        }
    }

    /// Its data directory.
    pub fn folder(&self) -> &Path {
        match &self.data {
            Data::Own(folder) => folder.path(),
            Data::Shared(folder) => folder,
        }
    }

    /// A GET with the bearer token.
    pub async fn get(&self, path: &str) -> Response {
        self.http.get(self.url(path)).bearer_auth(TOKEN).send().await.unwrap()
    }

    /// The JSON that a GET gives.
    pub async fn get_json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    /// A POST with the bearer token: its status and its JSON.
    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        answer(self.http.post(self.url(path)).bearer_auth(TOKEN).json(&body)).await
    }

    /// The same with an idempotency key.
    pub async fn post_once(&self, path: &str, key: &str, body: Value) -> (u16, Value) {
        answer(self.http.post(self.url(path)).bearer_auth(TOKEN).header("idempotency-key", key).json(&body)).await
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A new session's id.
    pub async fn session(&self) -> String {
        let (status, opened) = self.post("/api/session", json!({})).await;
        assert_eq!(status, 200, "{opened}");
        opened["session_id"].as_str().unwrap().to_owned()
    }

    /// A new session in which this prompt's turn has ended.
    pub async fn session_with(&self, text: &str) -> String {
        let session = self.session().await;
        self.prompt(&session, text).await;
        self.idle(&session).await;
        session
    }

    /// Sends a prompt that must be let in.
    pub async fn prompt(&self, session: &str, text: &str) {
        let answer = self.post(&format!("/api/session/{session}/prompt"), json!({ "prompt": text })).await;
        assert_eq!(answer, (200, json!({ "status": "started" })));
    }

    /// Attaches with this query.
    pub async fn attach(&self, session: &str, query: &str) -> Attached {
        let response = self.get(&format!("/api/session/{session}/stream{query}")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Attached::new(response)
    }

    /// Waits until no turn runs in a session.
    pub async fn idle(&self, session: &str) {
        eventually("the turn ends", async || {
            let listed = self.get_json("/api/session").await;
            let sessions = listed["sessions"].as_array().unwrap();
            let active = sessions.iter().find(|listed| listed["id"] == session).unwrap()["turn_active"].clone();
            (active == json!(false)).then_some(())
        })
        .await;
    }

    /// All entries of a session up to the end of its first turn.
    pub async fn finished(&self, session: &str) -> Vec<Entry> {
        let mut client = self.attach(session, "").await;
        client.until(|event| *event == Event::TurnEnd).await;
        client.entries
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Sends a request and reads its JSON.
pub async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} is not JSON: {text}")))
}

/// A client on a stream.
pub struct Attached {
    response: Response,
    decoder: Decoder,
    waiting: std::collections::VecDeque<Frame>,
    /// The entries that came, in order.
    pub entries: Vec<Entry>,
    /// Their fold.
    pub transcript: Transcript,
}

impl Attached {
    /// A client that reads this answer.
    pub fn new(response: Response) -> Self {
        Attached {
            response,
            decoder: Decoder::default(),
            waiting: std::collections::VecDeque::new(),
            entries: Vec::new(),
            transcript: Transcript::default(),
        }
    }

    /// The next frame, or nothing when the stream has ended.
    pub async fn frame(&mut self) -> Option<Frame> {
        while self.waiting.is_empty() {
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("a frame in time");
            self.waiting.extend(self.decoder.push(&chunk.ok()??));
        }
        let frame = self.waiting.pop_front()?;
        if frame.id.is_some() {
            let entry: Entry = serde_json::from_str(&frame.data).unwrap();
            assert_eq!(frame.id.as_deref(), Some(entry.id.to_string().as_str()));
            self.transcript.apply(&entry);
            self.entries.push(entry);
        }
        Some(frame)
    }

    /// Reads until an entry's event is the one that is waited for, and gives it.
    pub async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        let mut looked_at = 0;
        loop {
            while let Some(entry) = self.entries.get(looked_at) {
                looked_at += 1;
                if wanted(&entry.event) {
                    return entry.event.clone();
                }
            }
            self.frame().await.expect("the stream goes on");
        }
    }

    /// Reads until the replay is over, and gives the head that was told.
    pub async fn until_caught_up(&mut self) -> Value {
        loop {
            let frame = self.frame().await.expect("the stream goes on");
            if frame.event.as_deref() == Some("caught-up") {
                assert_eq!(frame.id, None);
                return serde_json::from_str::<Value>(&frame.data).unwrap()["head"].clone();
            }
        }
    }
}

/// Asks until there is an answer.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("in time: {what}"))
}

/// The ids of entries, which must be without gaps.
pub fn ids(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.id.0).collect()
}

/// The kinds of entries, for a test that says what happened in what order.
pub fn kinds(entries: &[Entry]) -> Vec<&'static str> {
    entries.iter().map(|entry| entry.event.kind()).collect()
}
