//! Tools that follow one another. They stand in one list that folds out, whose elements stay the same ones while it grows.
//! Three or more fold into a line that counts them, once their turn is over and if none failed; fewer stand there as they are.

use std::sync::Arc;

use domain::{
    ids::duration_text,
    text::joined,
    transcript::{Item, Row},
};

use super::{
    super::{
        html::Html,
        part::{Around, Folds, Part, around, part},
    },
    fold, is_ended,
};
use crate::state::State;

/// How many are one line.
const MANY: usize = 3;

/// True for rows that stand in one list with others of their kind.
pub(super) fn joins(item: &Item) -> bool {
    matches!(item, Item::Tool { .. } | Item::Permission { .. })
}

/// The rows of one list. Its turn runs while it `works`.
pub(super) fn run(state: State, rows: Vec<Arc<Row>>, works: bool) -> Option<Part> {
    let (first, last) = (rows.first()?.id.0 * 2, rows.last()?.id.0 * 2 + 1);
    let fold = head(&rows, works);
    let mut before = Html::default();
    before.fill(r#"<li class="row tools"><details"#, &[]);
    before.fill(if fold.open { " open=\"\"><summary>" } else { "><summary>" }, &[]);
    before.html(&fold.summary);
    before.fill("</summary><ol>", &[]);
    let one = |row: Arc<Row>| {
        let key = row.id.0 * 2 + u64::from(is_ended(&row.item));
        part(move |html| fold::write(html, row.id, &row.item, &state.session_id())).keyed(key)
    };
    let parts = rows.into_iter().map(one).collect();
    Some(around(Around { before, after: "</ol></details></li>", fold: Some(fold), parts }).keyed_from(first, last))
}

/// What the line says of them: how many, for how long, how many of them failed.
fn head(rows: &[Arc<Row>], works: bool) -> Folds {
    let (mut count, mut failed, mut millis, mut commands) = (0, 0, 0, true);
    for row in rows {
        if let Item::Tool { name, end, abandoned, .. } = &row.item {
            count += 1;
            commands &= fold::is_command(name);
            failed += usize::from(*abandoned || end.as_ref().is_some_and(|end| end.is_error));
            millis += end.as_ref().and_then(|end| end.duration_ms).unwrap_or_default();
        }
    }
    if count < MANY {
        return Folds { summary: Html::default(), open: true };
    }
    let failures = (failed > 0).then(|| format!("{failed} failed"));
    let facts = joined(&mut std::iter::once(duration_text(millis)).chain(failures), " · ");
    let (look, icon) = match (works, failed) {
        (true, _) => ("running", "list"),
        (false, 0) => ("ended", "check"),
        (false, _) => ("failed", "cross"),
    };
    let label = format!("{count} {}", if commands { "commands" } else { "tools" });
    let summary = Html::of(|html| {
        html.fill(r#"<span class="tools-head" data-state="{}">"#, &[look]);
        fold::line(html, icon, &label, &facts);
        html.fill("</span>", &[]);
    });
    Folds { summary, open: works || failed > 0 }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{
        ids::{EntryId, Millis},
        transcript::{Item, Row, ToolEnd},
    };

    use super::head;

    fn rows(failures: &[bool]) -> Vec<Arc<Row>> {
        let row = |(id, is_error): (usize, &bool)| {
            let end = ToolEnd {
                output: String::new(),
                is_error: *is_error,
                exit_code: None,
                truncated: false,
                whole: None,
                duration_ms: Some(4_000),
            };
            let (name, line) = ("Bash".to_owned(), "true".to_owned());
            let item = Item::Tool { name, line, title: None, end: Some(end), abandoned: false, nested: false };
            Arc::new(Row { id: EntryId(id as u64), at: Millis(0), item })
        };
        failures.iter().enumerate().map(row).collect()
    }

    #[test]
    fn three_tools_are_one_line_that_is_open_while_they_run_or_when_one_failed() {
        let two = head(&rows(&[false, false]), false);
        assert_eq!((two.summary.as_str(), two.open), ("", true));
        let well = head(&rows(&[false; 3]), false);
        assert!(!well.open && well.summary.as_str().contains("3 commands</span>"), "{:?}", well.summary);
        assert!(well.summary.as_str().contains(">12 s</span>"), "{:?}", well.summary);
        assert!(head(&rows(&[false; 3]), true).open);
        let failed = head(&rows(&[false, true, false]), false);
        assert!(failed.open && failed.summary.as_str().contains(">12 s · 1 failed</span>"), "{:?}", failed.summary);
    }
}
