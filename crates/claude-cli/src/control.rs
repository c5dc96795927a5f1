//! What is written to the CLI's standard input: one JSON object per line. A line that is no JSON ends the process, so
//! lines are made here and nowhere else.

use serde_json::{Value, json};

/// A message of the operator's. Its `uuid` is that by which the CLI says how far it has come.
pub fn message(text: &str, uuid: &str) -> String {
    json!({
        "type": "user",
        "message": { "role": "user", "content": text },
        "parent_tool_use_id": null,
        "uuid": uuid,
    })
    .to_string()
}

/// Ends the turn that runs; the process stays.
pub fn interrupt(request_id: &str) -> String {
    request(request_id, &json!({ "subtype": "interrupt" }))
}

/// Lets a tool run, with this input.
pub fn allow(request_id: &str, input: &Value) -> String {
    answer(request_id, &json!({ "behavior": "allow", "updatedInput": input }))
}

/// Does not let a tool run, and tells the model why.
pub fn deny(request_id: &str, message: &str) -> String {
    answer(request_id, &json!({ "behavior": "deny", "message": message, "interrupt": false }))
}

/// Says that a request is not known here. Without an answer the CLI would wait.
pub fn refuse(request_id: &str, error: &str) -> String {
    json!({
        "type": "control_response",
        "response": { "subtype": "error", "request_id": request_id, "error": error },
    })
    .to_string()
}

/// The input of a question with its answers, as the CLI takes it: by the question's text.
pub fn answered(input: &Value, answers: impl IntoIterator<Item = (String, String)>) -> Value {
    let mut input = input.clone();
    let answers: serde_json::Map<String, Value> = answers.into_iter().map(|(key, text)| (key, text.into())).collect();
    if let Some(fields) = input.as_object_mut() {
        fields.insert("answers".into(), answers.into());
    }
    input
}

fn request(request_id: &str, request: &Value) -> String {
    json!({ "type": "control_request", "request_id": request_id, "request": request }).to_string()
}

fn answer(request_id: &str, response: &Value) -> String {
    json!({
        "type": "control_response",
        "response": { "subtype": "success", "request_id": request_id, "response": response },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_one_line() {
        let text = "two\nlines\r\n\u{2028}";
        let input = json!({ "command": text });
        for line in [message(text, "u"), allow("r", &input), deny("r", text), refuse("r", text)] {
            assert!(!line.contains(['\n', '\r']), "{line}");
        }
    }

    #[test]
    fn answers_stand_beside_the_questions() {
        let input = json!({"questions": [{"question": "Which?"}]});
        let answered = answered(&input, [("Which?".to_owned(), "A".to_owned())]);
        assert_eq!(answered, json!({"questions": [{"question": "Which?"}], "answers": {"Which?": "A"}}));
    }
}
