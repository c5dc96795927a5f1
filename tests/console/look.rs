//! How a page looks and what an app's manifest promises: the ground is a person's choice, and each file that is named is there.

use std::path::Path;

use breakglass::server::config::Settings;
use serde_json::Value;

use crate::harness::console::{Console, TOKEN, practice};

async fn page(console: &Console, cookie: &str) -> String {
    let asked = console.http.get(console.url("/sessions")).bearer_auth(TOKEN).header("cookie", cookie);
    asked.send().await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ground_is_chosen_by_a_form_and_rendered_at_the_first_paint() {
    let console = Console::practice().await;
    let session = console.session().await;
    let choose = async |fields: String| {
        let form = console.http.post(console.url("/theme")).bearer_auth(TOKEN);
        form.header("content-type", "application/x-www-form-urlencoded").body(fields).send().await.unwrap()
    };
    let chosen = choose(format!("theme=light&session={session}")).await;
    assert_eq!(chosen.status(), 303);
    assert_eq!(chosen.headers()["location"], format!("/s/{session}#settings"));
    let cookie = chosen.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("breakglass_theme=light; Path=/; SameSite=Strict; Max-Age=31536000"), "{cookie}");

    let html = page(&console, "breakglass_theme=light").await;
    assert!(html.contains("data-theme=\"light\""), "{html}");
    assert!(html.contains("<meta name=\"color-scheme\" content=\"light\">"), "{html}");
    assert!(!page(&console, "").await.contains("data-theme"), "the device decides");

    // What is no theme is none, and leads nowhere else.
    let forgotten = choose("theme=%22%3E&session=//elsewhere.example".into()).await;
    assert_eq!(forgotten.headers()["location"], "/#settings");
    assert!(
        forgotten.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("breakglass_theme=auto; Path=/; SameSite=Strict; Max-Age=0")
    );
    assert_eq!(console.http.post(console.url("/theme")).body("theme=dark").send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_beside_the_console_are_found_and_the_one_that_is_shown_is_marked() {
    let console = Console::practice().await;
    let cabbages = console.session_with("!echo <b>cabbages</b>").await;
    let mail = console.session_with("!echo mail").await;
    let side = async |query: String| {
        let answer = console.get(&format!("/part/sessions{query}")).await;
        assert_eq!(answer.headers()["x-breakglass-part"], "1");
        answer.text().await.unwrap()
    };
    let all = side(format!("?session={mail}")).await;
    let marked = format!("href=\"/s/{mail}\" aria-current=\"page\"");
    assert!(all.contains(&marked) && all.contains(&format!("href=\"/s/{cabbages}\"")), "{all}");
    assert!(all.contains("&lt;b&gt;cabbages") && !all.contains("<b>"), "{all}");
    let found = side(format!("?session={mail}&q=CABBAGES")).await;
    assert!(found.contains(&cabbages) && !found.contains(&mail), "{found}");
    assert!(side("?q=%3Ci%3Eparsnips".into()).await.contains("has “&lt;i&gt;parsnips” in it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_that_the_manifest_names_is_there_for_strangers() {
    let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("public");
    let console = Console::start(Settings { site_root: Some(public), ..practice() }).await;
    let open = async |path: &str| console.http.get(console.url(path)).send().await.unwrap();
    let manifest: Value = open("/manifest.webmanifest").await.json().await.unwrap();
    let pictures: Vec<_> =
        ["icons", "screenshots"].iter().flat_map(|kind| manifest[*kind].as_array().unwrap()).collect();
    for picture in &pictures {
        let path = picture["src"].as_str().unwrap();
        let answer = open(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], picture["type"].as_str().unwrap(), "{path}");
        let bytes = answer.bytes().await.unwrap();
        if let Some((width, height)) = picture["sizes"].as_str().unwrap().split_once('x') {
            let size = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()).to_string();
            assert_eq!((size(16), size(20)), (width.to_owned(), height.to_owned()), "{path}");
        }
    }
    for size in ["192x192", "512x512"] {
        assert!(pictures.iter().any(|icon| icon["sizes"] == size && icon["purpose"] == "maskable"), "{size}");
    }
    // A shortcut shows something; what runs is tapped.
    for shortcut in manifest["shortcuts"].as_array().unwrap() {
        let url = shortcut["url"].as_str().unwrap();
        assert_eq!(console.get(url).await.status(), 200, "{url}");
    }
    assert_eq!(console.get_json("/api/session").await["sessions"], serde_json::json!([]));
    // A page asks for it to know whether there is a newer build.
    assert_eq!(open("/worker.js").await.headers()["cache-control"], "no-cache");
}
