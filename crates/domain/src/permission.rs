//! Permissions: what the agent may not do before an operator has decided, and the questions that it asks itself.
//!
//! A permission is decided once, and the first decision stands. One that nobody can decide any more (its turn ended, the
//! agent took it back) is withdrawn.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::parted;

/// The tool by which the agent asks the operator something.
pub const QUESTION: &str = "AskUserQuestion";

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// This once.
    AllowOnce,
    /// This tool in this session, until the console ends.
    AllowSession,
    /// Not to be done.
    Deny,
    /// Nobody can decide any more.
    Withdrawn,
}

/// What an operator can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// This once.
    AllowOnce,
    /// This tool in this session, until the console ends.
    AllowSession,
    /// Not to be done.
    Deny,
}

impl From<Choice> for Decision {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::AllowOnce => Decision::AllowOnce,
            Choice::AllowSession => Decision::AllowSession,
            Choice::Deny => Decision::Deny,
        }
    }
}

/// One of the agent's questions, as it stands in the input of [`QUESTION`].
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// True when several options may be chosen.
    pub several: bool,
    /// What can be chosen; something else may be written in its place.
    pub options: Vec<Choosable>,
}

/// One option of a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Choosable {
    /// The option, as it is answered.
    pub label: String,
    /// What it means.
    pub description: String,
}

/// The questions in a tool's input, after the shape that the CLI's `AskUserQuestion` has: `{"questions": [{"question",
/// "multiSelect", "options": [{"label", "description"}]}]}`. What is not of that shape is left out.
pub fn questions(input: &Value) -> Vec<Question> {
    let option = |option: &Value| {
        Some(Choosable { label: text(option, "label")?, description: text(option, "description").unwrap_or_default() })
    };
    let question = |question: &Value| {
        Some(Question {
            text: text(question, "question")?,
            several: question.get("multiSelect").and_then(Value::as_bool).unwrap_or(false),
            options: list(question, "options").iter().filter_map(option).collect(),
        })
    };
    list(input, "questions").iter().filter_map(question).collect()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What was answered to each question, as far as it can be read from a decision's `message`, which holds a line
/// `question answer` for each that was answered.
pub fn answered(questions: &[Question], message: &str) -> Vec<(String, String)> {
    let answer = |question: &Question| {
        let (_, rest) = parted(message, &question.text)?;
        Some((question.text.clone(), rest.lines().next()?.trim().to_owned()))
    };
    questions.iter().filter_map(answer).collect()
}

/// True for what changes nothing by its own definition, so that nobody is asked: the two verbs that only look. `command`
/// is matched whole; whatever else stands beside the verb makes it another command. (Reading a file may be asked for,
/// where the file is not the agent's own: it may hold a secret.)
pub fn changes_nothing(tool: &str, input: &Value) -> bool {
    let command = input.get("command").and_then(|command| command.as_str()).unwrap_or_default();
    tool == "Bash" && matches!(command.trim(), "ssh pve status" | "ssh pve forensics")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn questions_are_read_from_the_tools_input() {
        let input = json!({"questions": [
            {"question": "Which?", "header": "Pick", "multiSelect": false,
             "options": [{"label": "A", "description": "a"}, {"label": "B"}, {"description": "no label"}]},
            {"header": "no question"},
        ]});
        let [question] = &questions(&input)[..] else { panic!() };
        assert_eq!((question.text.as_str(), question.several), ("Which?", false));
        let labels: Vec<_> = question.options.iter().map(|option| option.label.as_str()).collect();
        assert_eq!(labels, ["A", "B"]);
        assert_eq!(questions(&json!({"questions": "none"})), []);
    }

    #[test]
    fn answers_are_read_back_from_what_was_recorded() {
        let question = |text: &str| Question { text: text.into(), several: false, options: Vec::new() };
        let asked = [question("Which?"), question("Why?"), question("When?")];
        let found = answered(&asked, "Which? a, b\nWhen? later");
        let pair = |asked: &str, answer: &str| (asked.to_owned(), answer.to_owned());
        assert_eq!(found, [pair("Which?", "a, b"), pair("When?", "later")]);
    }

    #[test]
    fn only_what_looks_passes_without_a_question() {
        let bash = |command: &str| changes_nothing("Bash", &json!({ "command": command }));
        assert!(bash("ssh pve status") && bash(" ssh pve forensics\n"));
        for other in
            ["ssh pve reset", "ssh pve status; ssh pve cycle", "ssh pve status\nreboot", "ssh devvm uptime", ""]
        {
            assert!(!bash(other), "{other}");
        }
        assert!(!changes_nothing("Read", &json!({"file_path": "/etc/breakglass.toml"})));
        assert!(!changes_nothing("Write", &json!({})));
        assert!(!changes_nothing(QUESTION, &json!({})));
    }
}
