//! What the CLI says, as events of a session: a pure translation, and the words for what went wrong.

use claude_cli::{
    keeper::{Process, Swept},
    said::{Said, ToolResult},
};
use domain::event::{Event, Level};

/// The event of something that the CLI said, where there is one and nothing is to be done about it.
pub fn event(said: Said) -> Option<Event> {
    Some(match said {
        Said::Text { text, parent: None, .. } => Event::Text { text },
        Said::Text { text, parent: Some(_), .. } => info(format!("sub-agent: {text}")),
        Said::Tool { tool_id, name, input, parent } => Event::Tool { tool_id, name, input, parent },
        Said::Retry { attempt, max, delay_ms, status, error } => {
            let status = status.map_or_else(String::new, |status| format!("{status} "));
            let seconds = delay_ms.div_ceil(1000);
            warning(format!(
                "the model's provider did not answer ({status}{error}): try {attempt} of {max} follows in {seconds} s"
            ))
        }
        Said::Note { text, .. } => info(format!("the agent's program says: {text}")),
        Said::Status { status: Some(status) } if status == "compacting" => {
            info("the agent sums up its conversation to make room".into())
        }
        _ => return None,
    })
}

/// The event of a tool's result; `whole` is the size of its whole output, where that is kept.
pub fn result(result: ToolResult, limit: usize, whole: Option<u64>) -> Event {
    let ToolResult { tool_id, mut output, is_error, exit_code, mut truncated, .. } = result;
    if output.len() > limit {
        let cut = (0..=limit).rev().find(|at| output.is_char_boundary(*at)).unwrap_or(0);
        output.truncate(cut);
        truncated = true;
    }
    // What the CLI itself says of a call that it did not make stands between tags for the model.
    if let Some(inner) = output.strip_prefix("<tool_use_error>") {
        output = inner.trim_end().trim_end_matches("</tool_use_error>").to_owned();
    }
    Event::ToolResult { tool_id, output, is_error, exit_code, truncated, whole }
}

/// A notice for the record.
pub fn info(text: String) -> Event {
    Event::Notice { level: Level::Info, text }
}

/// A notice that somebody should look at.
pub fn warning(text: String) -> Event {
    Event::Notice { level: Level::Warning, text }
}

/// What was done about what a turn left running on this machine. Nothing to say where nothing was left.
pub fn swept(swept: &Swept) -> Option<Event> {
    let named = |processes: &[Process]| {
        processes.iter().map(|process| format!("{} ({})", process.command, process.pid)).collect::<Vec<_>>().join(", ")
    };
    let more = if swept.more > 0 { format!(", and {} more", swept.more) } else { String::new() };
    if !swept.left.is_empty() {
        return Some(warning(format!(
            "this turn left running on the console's machine, and could not be ended: {}{more}",
            named(&swept.left)
        )));
    }
    let words = || info(format!("ended with the turn, on the console's machine: {}{more}", named(&swept.ended)));
    (!swept.ended.is_empty()).then(words)
}

/// What is said when the keeper was killed, so that nobody has counted: what carries the session's mark was ended.
pub fn keeper_killed(found: &[Process]) -> Event {
    let named: Vec<_> = found.iter().take(20).map(|process| format!("{} ({})", process.command, process.pid)).collect();
    let named = if named.is_empty() { "nothing that could be found".to_owned() } else { named.join(", ") };
    warning(format!(
        "the agent's keeper was killed. ended in its place, on the console's machine: {named}. what has cleared its \
         environment may still run there"
    ))
}

/// Why a provider's answer ended the turn, and what to do. `kind` is the CLI's own word for it.
pub fn provider_failed(kind: &str, status: Option<u16>, text: &str) -> String {
    let advice = match kind {
        "authentication_failed" => "the key of the model's provider is refused: check ANTHROPIC_API_KEY",
        "billing_error" => "the account at the model's provider has no credit left: top it up",
        "model_not_found" => "the model is not known to the provider: check BREAKGLASS_MODEL",
        "rate_limit" => "the model's provider has had enough requests for now: wait a little",
        "server_error" | "overloaded" => "the model's provider is overloaded or down",
        "invalid_request" => "the model's provider did not take the request",
        _ => "the model's provider cannot be reached",
    };
    let status = status.map_or_else(String::new, |status| format!(" ({status})"));
    let text = text.lines().next().unwrap_or_default();
    format!("{advice}{status}; meanwhile, run it without ai. it said: {text}")
}

/// Why a CLI ended before its turn did, from its last words on standard error.
pub fn cli_failed(words: &str, code: Option<i32>, signal: Option<i32>) -> String {
    if words.contains("cannot be used with root") {
        return "the agent does not act alone as root: run the console as an ordinary user, or let it ask \
                (BREAKGLASS_PERMISSIONS=ask), or set IS_SANDBOX=1 where this machine is made for it. without ai it works"
            .into();
    }
    if words.starts_with("cannot start") {
        return format!("the agent cannot be started: {words}: set BREAKGLASS_CLAUDE_BIN, or run it without ai");
    }
    let how = match (code, signal) {
        (_, Some(signal)) => format!("signal {signal}"),
        (Some(code), None) => format!("exit code {code}"),
        (None, None) => "killed with its keeper".into(),
    };
    let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    format!("the agent ended in the middle of its turn ({how}): {last}. send a prompt to go on, or run it without ai")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, command: &str) -> Process {
        Process { pid, command: command.into() }
    }

    #[test]
    fn a_retry_says_which_and_how_long_and_why() {
        let retry = Said::Retry { attempt: 2, max: 4, delay_ms: 1200, status: Some(529), error: "overloaded".into() };
        let Some(Event::Notice { level: Level::Warning, text }) = event(retry) else { panic!() };
        assert!(text.contains("529 overloaded") && text.contains("try 2 of 4") && text.contains("2 s"), "{text}");
    }

    #[test]
    fn what_a_turn_left_is_named() {
        assert_eq!(swept(&Swept::default()), None);
        let ended = Swept { ended: vec![process(7, "sleep 63")], ..Swept::default() };
        let Some(Event::Notice { text, .. }) = swept(&ended) else { panic!() };
        assert!(text.contains("sleep 63 (7)"), "{text}");
        let left = Swept { ended: vec![process(7, "sleep 63")], left: vec![process(8, "su -")], more: 3 };
        let Some(Event::Notice { level: Level::Warning, text }) = swept(&left) else { panic!() };
        assert!(text.contains("su - (8), and 3 more"), "{text}");
    }

    #[test]
    fn every_failure_says_what_to_do_next() {
        for kind in ["authentication_failed", "rate_limit", "server_error", "unknown", "of the future"] {
            assert!(provider_failed(kind, None, "x").contains("without ai"), "{kind}");
        }
        for words in ["", "cannot start claude: not found", "--dangerously-skip-permissions cannot be used with root"] {
            assert!(cli_failed(words, Some(1), None).contains("without ai"), "{words}");
        }
    }

    #[test]
    fn an_output_is_cut_at_its_limit_between_characters() {
        let output = "é".repeat(10);
        let full = ToolResult {
            tool_id: "t".into(),
            output,
            is_error: false,
            exit_code: None,
            truncated: false,
            whole: None,
            parent: None,
        };
        let Event::ToolResult { output, truncated: true, .. } = result(full, 5, None) else { panic!() };
        assert_eq!(output, "éé");
    }
}
