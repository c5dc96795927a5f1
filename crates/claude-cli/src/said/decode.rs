//! From a line to what it says.

use serde_json::Value;

use super::{
    Finished, Lifecycle, Partial, Said,
    fields::{self, Block, Fields},
    json,
    tool_result::ToolResult,
};

/// How much of a `type` and `subtype` is kept for a log, in characters each.
const KIND_LIMIT: usize = 80;

/// What a line says; several things when it holds several blocks, and never nothing.
pub fn decode(line: &[u8]) -> Vec<Said> {
    let Some(mut fields) = json::object(line) else { return vec![Said::Malformed] };
    let kind = fields::text(&mut fields, "type").unwrap_or_default();
    let said = match &*kind {
        "assistant" => assistant(fields),
        "user" => user(fields),
        "stream_event" => partial(fields),
        "system" => vec![system(fields)],
        "result" => vec![finished(fields)],
        "tool_progress" => vec![progress(fields)],
        "command_lifecycle" => vec![lifecycle(fields)],
        "control_request" => vec![request(fields)],
        "control_cancel_request" => match fields::text(&mut fields, "request_id") {
            Some(request_id) => vec![Said::Withdraws { request_id }],
            None => Vec::new(),
        },
        "control_response" => vec![answer(fields)],
        _ => vec![other(&kind, &fields::text(&mut fields, "subtype").unwrap_or_default())],
    };
    // A list of no blocks is not nothing.
    if said.is_empty() { vec![other(&kind, "")] } else { said }
}

fn other(kind: &str, subtype: &str) -> Said {
    Said::Other { kind: kind_of(kind, subtype) }
}

fn kind_of(kind: &str, subtype: &str) -> String {
    let mut short: String = if kind.is_empty() { "untyped".into() } else { kind.chars().take(KIND_LIMIT).collect() };
    if !subtype.is_empty() {
        short.push('/');
        short.extend(subtype.chars().take(KIND_LIMIT));
    }
    short
}

/// The CLI writes one block a line, and each of them with the message's id.
fn assistant(mut fields: Fields) -> Vec<Said> {
    let parent = fields::text(&mut fields, "parent_tool_use_id");
    let mut message = fields::object(&mut fields, "message");
    let message_id = fields::text(&mut message, "id").unwrap_or_default();
    let error = fields::text(&mut fields, "error");
    let synthetic = message.get("model").and_then(Value::as_str) == Some("<synthetic>");
    // A message of the CLI's own is an error unless it says that it is none.
    let is_error = fields::flag(&fields, "is_api_error_message").unwrap_or(synthetic || error.is_some());
    let status = fields::small(&fields, "api_error_status");
    let kind = error.unwrap_or_else(|| "unknown".into());
    let said = |block| match block {
        Block::Text(text) if is_error => Said::ApiError { text, kind: kind.clone(), status },
        Block::Text(text) => Said::Text { message_id: message_id.clone(), text, parent: parent.clone() },
        Block::Other { kind, mut fields } if kind == "tool_use" => Said::Tool {
            tool_id: fields::text(&mut fields, "id").unwrap_or_default(),
            name: fields::text(&mut fields, "name").unwrap_or_default(),
            input: fields.remove("input").unwrap_or_default(),
            parent: parent.clone(),
        },
        Block::Other { kind, .. } => other("assistant", &kind),
    };
    fields::content(&mut message).into_iter().map(said).collect()
}

/// What goes to the model in the user's name: results of tools, and texts. Only a replayed text is the user's: others
/// are the CLI's (`[Request interrupted by user for tool use]`, `interrupt`) or a sub-agent's task.
fn user(mut fields: Fields) -> Vec<Said> {
    let parent = fields::text(&mut fields, "parent_tool_use_id");
    let blocks = fields::content(&mut fields::object(&mut fields, "message"));
    let is_result = |block: &&Block| matches!(block, Block::Other { kind, .. } if kind == "tool_result");
    let only_result = blocks.iter().filter(is_result).count() == 1;
    let mut own = fields.remove("tool_use_result").filter(|_| only_result);
    let is_replay = fields::flag(&fields, "isReplay").unwrap_or(false);
    let mut said = Vec::new();
    let mut replayed = Vec::new();
    for block in blocks {
        match block {
            Block::Text(text) if is_replay => replayed.push(text),
            Block::Text(_) => said.push(other("user", "text")),
            Block::Other { kind, fields } if kind == "tool_result" => {
                said.push(Said::ToolResult(ToolResult::of(fields, own.take(), parent.clone())));
            }
            Block::Other { kind, .. } => said.push(other("user", &kind)),
        }
    }
    if !replayed.is_empty() {
        let uuid = fields::text(&mut fields, "uuid");
        said.push(Said::Replay { uuid, text: replayed.join("\n") });
    }
    said
}

fn partial(mut fields: Fields) -> Vec<Said> {
    let parent = fields::text(&mut fields, "parent_tool_use_id");
    let mut event = fields::object(&mut fields, "event");
    let index = fields::number(&event, "index").unwrap_or(0);
    let kind = fields::text(&mut event, "type").unwrap_or_default();
    let mut text = |piece, kind| {
        let mut piece = fields::object(&mut event, piece);
        if fields::text(&mut piece, "type").as_deref() == Some(kind) { fields::text(&mut piece, "text") } else { None }
    };
    let partials = match &*kind {
        "message_start" => {
            let message_id = fields::text(&mut fields::object(&mut event, "message"), "id").unwrap_or_default();
            vec![Partial::MessageStart { message_id }]
        }
        "content_block_start" => match text("content_block", "text") {
            // Blocks begin empty; one that does not must not lose its beginning.
            Some(text) if text.is_empty() => vec![Partial::TextStart { index }],
            Some(text) => vec![Partial::TextStart { index }, Partial::Text { index, text }],
            None => vec![Partial::Other],
        },
        "content_block_delta" => match text("delta", "text_delta") {
            Some(text) => vec![Partial::Text { index, text }],
            None => vec![Partial::Other],
        },
        "content_block_stop" => vec![Partial::BlockStop { index }],
        "message_delta" => vec![Partial::MessageDelta],
        "message_stop" => vec![Partial::MessageStop],
        _ => vec![Partial::Other],
    };
    partials.into_iter().map(|partial| Said::Partial { parent: parent.clone(), partial }).collect()
}

fn system(mut fields: Fields) -> Said {
    let subtype = fields::text(&mut fields, "subtype").unwrap_or_default();
    let mut text = |name| fields::text(&mut fields, name);
    match &*subtype {
        "init" => Said::Init {
            session_id: text("session_id").unwrap_or_default(),
            model: text("model").unwrap_or_default(),
            permission_mode: text("permissionMode").unwrap_or_default(),
            version: text("claude_code_version"),
            tools: fields::texts(&mut fields, "tools"),
        },
        "api_retry" => {
            let error = text("error");
            retry(&fields, error)
        }
        "status" => Said::Status { status: text("status") },
        "permission_denied" => Said::Denied {
            tool: text("tool_name").unwrap_or_default(),
            tool_id: text("tool_use_id"),
            text: text("message").or_else(|| text("decision_reason")).unwrap_or_default(),
        },
        // Notes have a text under one of two names (`informational`, `notification`); kinds for programs have neither.
        _ => match text("content").or_else(|| text("text")).filter(|text| !text.is_empty()) {
            Some(text) => Said::Note { kind: kind_of("system", &subtype), text },
            None => other("system", &subtype),
        },
    }
}

fn retry(fields: &Fields, error: Option<String>) -> Said {
    Said::Retry {
        attempt: fields::small(fields, "attempt").unwrap_or_default(),
        max: fields::small(fields, "max_retries").unwrap_or_default(),
        delay_ms: fields::number(fields, "retry_delay_ms").unwrap_or_default(),
        status: fields::small(fields, "error_status"),
        error: error.unwrap_or_default(),
    }
}

fn progress(mut fields: Fields) -> Said {
    // Retries of a sub-agent are told as the progress of its call.
    if let Some(Value::Object(mut again)) = fields.remove("subagent_retry") {
        let error = fields::text(&mut again, "error_category");
        return retry(&again, error);
    }
    let seconds = fields::number(&fields, "elapsed_time_seconds").unwrap_or(0);
    match fields::text(&mut fields, "parent_tool_use_id").or_else(|| fields::text(&mut fields, "tool_use_id")) {
        Some(tool_id) => Said::Progress { tool_id, seconds },
        None => other("tool_progress", ""),
    }
}

fn lifecycle(mut fields: Fields) -> Said {
    let state = match &*fields::text(&mut fields, "state").unwrap_or_default() {
        "queued" => Lifecycle::Queued,
        "started" => Lifecycle::Started,
        "completed" => Lifecycle::Completed,
        _ => Lifecycle::Other,
    };
    match fields::text(&mut fields, "command_uuid") {
        Some(uuid) => Said::Lifecycle { uuid, state },
        None => other("command_lifecycle", ""),
    }
}

fn request(mut fields: Fields) -> Said {
    let mut request = fields::object(&mut fields, "request");
    let subtype = fields::text(&mut request, "subtype").unwrap_or_default();
    // What has no id cannot be answered.
    let Some(request_id) = fields::text(&mut fields, "request_id") else { return other("control_request", &subtype) };
    if subtype != "can_use_tool" {
        return Said::OtherRequest { request_id, subtype };
    }
    Said::Asks {
        request_id,
        tool: fields::text(&mut request, "tool_name").unwrap_or_default(),
        input: request.remove("input").unwrap_or_default(),
        description: fields::text(&mut request, "description"),
        tool_id: fields::text(&mut request, "tool_use_id"),
    }
}

fn answer(mut fields: Fields) -> Said {
    let mut response = fields::object(&mut fields, "response");
    let succeeded = response.get("subtype").and_then(Value::as_str) == Some("success");
    let error = fields::text(&mut response, "error");
    let error = (!succeeded).then(|| error.unwrap_or_else(|| "no reason given".into()));
    match fields::text(&mut response, "request_id") {
        Some(request_id) => Said::Answers { request_id, error },
        None => other("control_response", ""),
    }
}

fn finished(mut fields: Fields) -> Said {
    let subtype = fields::text(&mut fields, "subtype").unwrap_or_default();
    let usage = fields::object(&mut fields, "usage");
    let read = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
    let input_tokens = read.iter().filter_map(|name| fields::number(&usage, name)).reduce(u64::saturating_add);
    let denied = |denial| match denial {
        Value::Object(mut denial) => fields::text(&mut denial, "tool_name"),
        _ => None,
    };
    Said::Finished(Finished {
        // A turn that does not say how it went is not taken for a success, unless its subtype says so.
        is_error: fields::flag(&fields, "is_error").unwrap_or(subtype != "success"),
        subtype,
        result: fields::text(&mut fields, "result"),
        errors: fields::texts(&mut fields, "errors"),
        terminal_reason: fields::text(&mut fields, "terminal_reason"),
        num_turns: fields::number(&fields, "num_turns").unwrap_or_default(),
        duration_ms: fields::number(&fields, "duration_ms").unwrap_or_default(),
        total_cost_usd: fields.get("total_cost_usd").and_then(Value::as_f64),
        input_tokens,
        session_id: fields::text(&mut fields, "session_id").unwrap_or_default(),
        denials: fields::list(&mut fields, "permission_denials").into_iter().filter_map(denied).collect(),
    })
}
