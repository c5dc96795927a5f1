//! What came of a tool call, out of the two places where a line says it: the block that the model reads, and
//! `tool_use_result`, which is what the tool itself gave.

use serde_json::Value;

use super::fields::{self, Block, Fields};

/// What came of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolResult {
    /// The call.
    pub tool_id: String,
    /// What it wrote. The CLI merges a command's standard error into its standard output (`bash_failed`).
    pub output: String,
    /// Whether it failed.
    pub is_error: bool,
    /// A command's exit code, where it failed: the CLI says it only as the output's first line, `Exit code 3`, which
    /// stays there. 143 can be a time-out (`bash_timeout`).
    pub exit_code: Option<i32>,
    /// Whether more was written than `output` holds: its end is missing, or, of a failed command, its middle
    /// (`bash_failed_big`).
    pub truncated: bool,
    /// Where all of it is, when it was too much.
    pub whole: Option<Whole>,
    /// The call on whose behalf a sub-agent made this one.
    pub parent: Option<String>,
}

/// A file that holds the whole output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// On the machine of the CLI.
    pub path: String,
    /// Its length in bytes.
    pub bytes: Option<u64>,
}

/// How the CLI begins the preview of about 2 KB that it gives the model instead of an output beyond 30,000 characters
/// (`bash_big`).
const PREVIEW: &str = "<persisted-output>";

/// How much of a long output is kept, in characters: as much as the CLI keeps of a command's.
const KEPT: usize = 30_000;

impl ToolResult {
    /// Out of a `tool_result` block and, when that is the line's only one, the line's `tool_use_result`.
    pub(super) fn of(mut block: Fields, own: Option<Value>, parent: Option<String>) -> ToolResult {
        let tool_id = fields::text(&mut block, "tool_use_id").unwrap_or_default();
        let is_error = fields::flag(&block, "is_error").unwrap_or(false);
        let output = plain(fields::content(&mut block));
        let exit_code = is_error.then(|| exit_code(&output)).flatten();
        let truncated = output.starts_with(PREVIEW) || (is_error && lacks_its_middle(&output));
        let result = ToolResult { tool_id, output, is_error, exit_code, truncated, whole: None, parent };
        match own {
            Some(Value::Object(own)) => result.completed(own),
            // A failed call has a text here, `Error: …`, that says nothing new (`bash_failed`).
            _ => result,
        }
    }

    /// With what only the tool's own result tells: the beginning of the output, longer than the preview, and where the
    /// whole is. The path stands in the preview too, but there a command could have written it (`fake_preview`).
    fn completed(mut self, mut own: Fields) -> ToolResult {
        let bytes = fields::number(&own, "persistedOutputSize");
        self.whole = fields::text(&mut own, "persistedOutputPath").map(|path| Whole { path, bytes });
        // A command's is called `stdout` and is cut already; that of a search is `content` and is not (`grep_big`).
        let written = fields::text(&mut own, "stdout").or_else(|| fields::text(&mut own, "content"));
        let mut written = written.unwrap_or_default();
        if written.starts_with(PREVIEW) {
            self.truncated = false;
        }
        self.truncated |= self.whole.is_some();
        if !self.truncated {
            return self;
        }
        if let Some((end, _)) = written.char_indices().nth(KEPT) {
            written.truncate(end);
        }
        let errors = fields::text(&mut own, "stderr").unwrap_or_default();
        if !written.is_empty() && !errors.is_empty() {
            written.push('\n');
        }
        written.push_str(&errors);
        if written.len() > self.output.len() {
            self.output = written;
        }
        self
    }
}

/// Blocks as one text. Of an image there is only that there is one.
fn plain(blocks: Vec<Block>) -> String {
    let texts: Vec<String> = blocks
        .into_iter()
        .map(|block| match block {
            Block::Text(text) => text,
            Block::Other { kind, .. } if kind.is_empty() => "[unknown]".to_owned(),
            Block::Other { kind, .. } => format!("[{kind}]"),
        })
        .collect();
    texts.join("\n")
}

fn exit_code(output: &str) -> Option<i32> {
    output.strip_prefix("Exit code ")?.lines().next()?.parse().ok()
}

/// A failed command's output is not persisted: the CLI takes out its middle and says so on a line of its own.
fn lacks_its_middle(output: &str) -> bool {
    let says_so = |line: &str| line.starts_with("... [") && line.ends_with(" characters truncated] ...");
    exit_code(output).is_some() && output.lines().any(says_so)
}
