//! How the CLI is called. One list of arguments and one of variables, made of what is wanted; no shell, and no prompt
//! among them.

use std::path::PathBuf;

use crate::keeper::Launch;

/// An agent's definition, which is passed inline, so that nothing depends on where the CLI looks for agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// By which it is called.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The model that its definition names, such as `sonnet`.
    pub model: String,
    /// The tools it may use, by the CLI's names. No others are offered.
    pub tools: Vec<String>,
    /// Its instructions.
    pub prompt: String,
}

/// Which conversation a process is to stand in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conversation {
    /// A new one of this UUID.
    Open(String),
    /// The one that has this UUID.
    Resume(String),
}

impl Conversation {
    /// Its UUID.
    pub fn id(&self) -> &str {
        let (Conversation::Open(id) | Conversation::Resume(id)) = self;
        id
    }
}

/// How prompts reach the CLI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Line by line, with requests both ways: the process stays for many turns.
    Control,
    /// On standard input until its end: one turn per process, no questions, no steering. For a CLI that knows no other.
    Once,
}

/// What a process is to be.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The CLI.
    pub program: PathBuf,
    /// How it is talked to.
    pub protocol: Protocol,
    /// Which conversation it stands in.
    pub conversation: Conversation,
    /// What it is.
    pub definition: Definition,
    /// The model, where it is another than its definition names.
    pub model: Option<String>,
    /// False when the host is asked before a tool runs that changes something.
    pub autonomous: bool,
    /// Its working directory. It must be the same for one conversation: older CLIs look it up by that.
    pub dir: PathBuf,
    /// The variables that it gets beside its own settings, and no others.
    pub env: Vec<(String, String)>,
    /// The API key, where it needs one.
    pub key: Option<String>,
    /// How long the API may be silent in the middle of an answer, in milliseconds; the CLI takes no less than 10 s.
    pub stream_idle_ms: u64,
    /// How long an answer of the API may take to begin, in milliseconds.
    pub api_timeout_ms: u64,
    /// How often a failed request is repeated.
    pub retries: u32,
    /// The largest file that it and its commands may write, in bytes; no limit where there is none.
    pub file_bytes: Option<u64>,
}

impl Invocation {
    /// The process to start.
    pub fn launch(&self) -> Launch {
        Launch {
            program: self.program.clone(),
            args: self.args(),
            env: self.variables(),
            dir: self.dir.clone(),
            key: self.key.clone(),
            file_bytes: self.file_bytes,
        }
    }

    fn args(&self) -> Vec<String> {
        let mut args: Vec<String> = Vec::new();
        let mut add = |words: &[&str]| args.extend(words.iter().map(|word| (*word).to_owned()));
        add(&["-p", "--output-format", "stream-json", "--verbose"]);
        if self.protocol == Protocol::Control {
            add(&["--input-format", "stream-json", "--include-partial-messages", "--permission-prompt-tool", "stdio"]);
        }
        if self.autonomous {
            add(&["--dangerously-skip-permissions"]);
        }
        match &self.conversation {
            Conversation::Open(id) => add(&["--session-id", id]),
            Conversation::Resume(id) => add(&["--resume", id]),
        }
        let Definition { name, description, model, tools, prompt } = &self.definition;
        let model = self.model.as_ref().unwrap_or(model);
        let agents = serde_json::json!({
            name: { "description": description, "prompt": prompt, "model": model, "tools": tools }
        });
        // No settings of whoever owns the machine: theirs could allow what the host wants to be asked for, and run hooks.
        add(&["--model", model, "--setting-sources", "", "--exclude-dynamic-system-prompt-sections"]);
        add(&["--strict-mcp-config", "--disable-slash-commands", "--tools", &tools.join(",")]);
        add(&["--agents", &agents.to_string(), "--agent", name]);
        args
    }

    fn variables(&self) -> Vec<(String, String)> {
        let mut env = self.env.clone();
        // What is given stands over these settings of ours.
        let given: Vec<_> = env.iter().map(|(name, _)| name.clone()).collect();
        let mut set = |name: &str, value: String| {
            if !given.iter().any(|given| given == name) {
                env.push((name.to_owned(), value));
            }
        };
        // A turn that leaves tasks in the background has no end that anybody could tell.
        set("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1".into());
        set("CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS", self.stream_idle_ms.to_string());
        set("API_TIMEOUT_MS", self.api_timeout_ms.to_string());
        set("CLAUDE_CODE_MAX_RETRIES", self.retries.to_string());
        set("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".into());
        set("DISABLE_AUTOUPDATER", "1".into());
        set("DISABLE_TELEMETRY", "1".into());
        env
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation() -> Invocation {
        Invocation {
            program: "claude".into(),
            protocol: Protocol::Control,
            conversation: Conversation::Open("c".into()),
            definition: Definition {
                name: "breakglass".into(),
                description: "d".into(),
                model: "sonnet".into(),
                tools: vec!["Bash".into(), "Read".into()],
                prompt: "You say \"yes\".".into(),
            },
            model: None,
            autonomous: true,
            dir: "/".into(),
            env: vec![("PATH".into(), "/bin".into())],
            key: Some("sk-secret".into()),
            stream_idle_ms: 60_000,
            api_timeout_ms: 50_000,
            retries: 4,
            file_bytes: None,
        }
    }

    fn after<'a>(args: &'a [String], flag: &str) -> &'a str {
        &args[args.iter().position(|arg| arg == flag).unwrap() + 1]
    }

    #[test]
    fn the_agent_is_passed_inline_and_offered_its_tools_and_no_others() {
        let args = invocation().args();
        assert_eq!(after(&args, "--tools"), "Bash,Read");
        assert_eq!(after(&args, "--agent"), "breakglass");
        let agents: serde_json::Value = serde_json::from_str(after(&args, "--agents")).unwrap();
        assert_eq!(agents["breakglass"]["prompt"], "You say \"yes\".");
        assert_eq!(agents["breakglass"]["tools"], serde_json::json!(["Bash", "Read"]));
    }

    #[test]
    fn the_key_stands_in_no_argument_and_in_no_variable() {
        let launch = invocation().launch();
        let all = format!("{:?} {:?} {launch:?}", launch.args, launch.env);
        assert!(!all.contains("sk-secret"), "{all}");
    }

    #[test]
    fn a_model_that_was_asked_for_stands_over_the_definitions() {
        let args = Invocation { model: Some("opus".into()), ..invocation() }.args();
        assert_eq!(after(&args, "--model"), "opus");
        assert!(after(&args, "--agents").contains("\"model\":\"opus\""));
    }

    #[test]
    fn one_that_asks_does_not_skip_permissions_and_one_per_turn_has_no_protocol() {
        let args = Invocation { autonomous: false, protocol: Protocol::Once, ..invocation() }.args();
        let of_the_protocol = ["--input-format", "--permission-prompt-tool", "--include-partial-messages"];
        for absent in of_the_protocol.into_iter().chain(["--dangerously-skip-permissions"]) {
            assert!(!args.iter().any(|arg| arg == absent), "{absent}");
        }
    }
}
