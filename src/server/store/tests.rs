//! The writer: order, neighbours, and a database that is as large as it may be.

use std::sync::{Arc, Mutex};

use domain::{event::Event, ids::EntryId};

use super::*;
use crate::server::fresh;

fn said(text: &str) -> Event {
    Event::Text { text: text.into() }
}

async fn with_session() -> (tempfile::TempDir, Store, domain::ids::SessionId) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), 0).unwrap();
    let id = fresh::session_id();
    store.create_session(id.clone(), fresh::now(), None).await.unwrap();
    (folder, store, id)
}

#[tokio::test]
async fn entries_are_published_in_the_order_of_their_ids_after_they_are_on_disk() {
    let (folder, store, id) = with_session().await;
    let published = Arc::new(Mutex::new(Vec::new()));
    let path = folder.path().join("breakglass.sqlite3");
    let appends = (0..300).map(|n| {
        let (published, path, of) = (Arc::clone(&published), path.clone(), id.clone());
        store.append(id.clone(), vec![said(&n.to_string())], fresh::now(), None, move |appended| {
            if n % 50 == 0 {
                let other = schema::connect(&path).unwrap();
                let there: i64 = other
                    .query_row(
                        "SELECT count(*) FROM entries WHERE session = ? AND id = ?",
                        (of.as_str(), appended[0].id.0 as i64),
                        |row| row.get(0),
                    )
                    .unwrap();
                assert_eq!(there, 1, "another connection can read it");
            }
            published.lock().unwrap().push(appended[0].id);
        })
    });
    futures_util::future::join_all(appends).await;
    let published = published.lock().unwrap();
    assert_eq!(*published, (0..300).map(EntryId).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_write_that_fails_undoes_itself_and_not_its_neighbours() {
    let (_folder, store, id) = with_session().await;
    let append = |text: &str| store.append(id.clone(), vec![said(text)], fresh::now(), None, |_| {});
    let failing = store.write(|db| {
        db.execute("DELETE FROM entries", [])?;
        db.execute("INSERT INTO nowhere VALUES (1)", []).map(drop)
    });
    let (one, failed, two) = tokio::join!(append("one"), failing, append("two"));
    assert!(failed.is_err());
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(store.entries_before(id, EntryId(9), 9, 1 << 20).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_full_database_says_that_it_is_full_and_gives_no_id_away() {
    let (folder, store, id) = with_session().await;
    drop(store);
    let store = Store::open(folder.path(), 1).unwrap();
    let long = "x".repeat(1 << 20);
    let append = |text: &str| store.append(id.clone(), vec![said(text)], fresh::now(), None, |_| panic!("published"));
    let (one, two) = tokio::join!(append(&long), append(&long));
    assert!(matches!(one, Err(StoreError::Full)) && matches!(two, Err(StoreError::Full)), "{one:?} {two:?}");
    let store = Store::open(folder.path(), 0).unwrap();
    store
        .append(id, vec![said("short")], fresh::now(), None, |appended| assert_eq!(appended[0].id, EntryId(0)))
        .await
        .unwrap();
}
