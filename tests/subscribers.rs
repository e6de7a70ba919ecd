//! People through the real binary: brought in, listed, shown, exported, erased; and what they are
//! told of themselves in the chat.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows and fails as a test does"
)]

mod rig;

use std::process::Output;

use hmac::{Hmac, KeyInit, Mac};
use rig::{Rig, name, soon};
use serde_json::{Value, json};
use sha2::Sha256;
use tidings::model::base64;
use tidings::model::subscriber::Standing;
use tidings::sandbox::telegram;
use tidings::store::Store;
use tidings::store::redb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn of(rig: &Rig, args: &[&str]) -> Output {
    rig.command(&[&["subscribers"], args].concat())
}

fn said(rig: &Rig, args: &[&str]) -> String {
    let output = of(rig, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json_of(rig: &Rig, args: &[&str]) -> Value {
    serde_json::from_str(&said(rig, &[args, &["--json"]].concat())).unwrap()
}

/// What goes wrong, with its exit code.
fn refused(rig: &Rig, args: &[&str]) -> (Option<i32>, String) {
    let output = of(rig, args);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Writes a file and gives its path.
fn file(rig: &Rig, called: &str, text: &str) -> String {
    let path = rig.path(called);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

async fn ask(address: &str, request: String) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

async fn get(url: &str) -> (String, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (address, path) = rest.split_at(rest.find('/').unwrap());
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\naccept-language: de\r\nconnection: close\r\n\r\n"
    );
    ask(address, request).await
}

const PEOPLE: &str = "Address;First Name;Language;Topics;Joined;Consented\n\
    101;Ana;ro;news;2025-01-02;2025-01-03 10:00\n\
    102;\"Bo; the \"\"2nd\"\"\";;;;\n\
    101;Twice;;;;\n\
    103;=1+1;de;;;\n";

#[tokio::test(flavor = "multi_thread")]
async fn people_are_brought_in_listed_exported_and_erased_without_a_daemon() {
    let rig = Rig::new(telegram::Rules::default()).await;
    let people = file(&rig, "people.csv", PEOPLE);
    let import = ["import", people.as_str(), "--channel", "bot", "--source", "the old bot"];
    let dry = json_of(&rig, &[&import[..], &["--topic", "news", "--dry-run"]].concat());
    assert_eq!((&dry["added"], &dry["twice"], &dry["rows"]), (&json!(3), &json!(1), &json!(4)));
    assert_eq!(json_of(&rig, &["list"])["subscribers"], json!([]));
    let words = said(&rig, &[&import[..], &["--topic", "news"]].concat());
    assert_eq!(words, "3 of 4 imported to bot; 1 named before in the file\n");
    let again = json_of(&rig, &import);
    assert_eq!((&again["added"], &again["known"]), (&json!(0), &json!(3)));

    let all = json_of(&rig, &["list"])["subscribers"].clone();
    let addresses: Vec<&Value> =
        all.as_array().unwrap().iter().map(|person| &person["address"]).collect();
    assert_eq!(addresses, ["101", "102", "103"]);
    assert_eq!(all[1]["first_name"], "Bo; the \"2nd\"");
    let some = json_of(&rig, &["list", "--topic", "news", "--where", "language == 'ro'"]);
    assert_eq!(some["subscribers"].as_array().unwrap().len(), 1, "{some}");
    let cut = json_of(&rig, &["list", "--limit", "2"]);
    assert_eq!((cut["subscribers"].as_array().unwrap().len(), &cut["is_cut"]), (2, &json!(true)));
    assert!(said(&rig, &["list", "--standing", "stopped"]).contains("nobody"));

    let shown = said(&rig, &["show", "bot", "101"]);
    for part in ["Ana", "2025-01-03T10:00:00Z  yes, by import:the old bot", "entry 1 of the ledger"]
    {
        assert!(shown.contains(part), "{shown}");
    }
    assert_eq!(json_of(&rig, &["show", "bot", "#1"])["address"], "102");

    // What is exported is imported elsewhere; no cell is a formula.
    let out = rig.path("out.csv").display().to_string();
    said(&rig, &["export", "--out", &out]);
    let exported = std::fs::read_to_string(&out).unwrap();
    assert_eq!(exported, said(&rig, &["export"]));
    assert!(exported.contains(",\"'=1+1\","), "{exported}");
    assert_eq!(exported.lines().count(), 4);
    let elsewhere = Rig::new(telegram::Rules::default()).await;
    let words = said(&elsewhere, &["import", &out, "--channel", "bot", "--source", "a move"]);
    assert_eq!(words, "3 of 3 imported to bot\n");
    assert_eq!(json_of(&elsewhere, &["show", "bot", "103"])["first_name"], "=1+1");
    let moved = said(&elsewhere, &["show", "bot", "101"]);
    let proof = "2025-01-03T10:00:00Z  yes, by import:a move (import:the old bot)";
    assert!(moved.contains(proof), "{moved}");
    let lines = file(&rig, "lines.json", &said(&rig, &["export", "--json"]));
    let words = said(&elsewhere, &["import", &lines, "--channel", "bot", "--source", "a move"]);
    assert_eq!(words, "0 of 3 imported to bot; 3 known already\n");

    assert_eq!(refused(&rig, &["erase", "bot", "102"]).0, Some(2), "nobody was asked");
    assert!(said(&rig, &["erase", "bot", "102", "--yes"]).contains("is erased"));
    assert_eq!(refused(&rig, &["show", "bot", "102"]).0, Some(1));
    assert_eq!(refused(&rig, &["erase", "bot", "102", "--yes"]).0, Some(1));
    let after = json_of(&rig, &import);
    assert_eq!((&after["known"], &after["erased"]), (&json!(2), &json!(1)));
    let verdict = said(&rig, &["consents"]);
    assert!(verdict.starts_with("the ledger holds: 4 consents, each follows"), "{verdict}");
    assert!(verdict.contains("2 of people who are known"), "{verdict}");
    let head = json_of(&rig, &["consents"])["head"].as_str().unwrap().to_owned();
    assert!(json_of(&rig, &["consents", "--noted", &head])["holds"].as_bool().unwrap());
    let strange = "0".repeat(63) + "1";
    assert_eq!(of(&rig, &["consents", "--noted", &strange]).status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_file_with_mistakes_nothing_is_taken_in() {
    let rig = Rig::new(telegram::Rules::default()).await;
    let bad = file(&rig, "bad.csv", "address,topics\n1,news\nx,news\n2,sport\n");
    let (code, words) =
        refused(&rig, &["import", &bad, "--channel", "bot", "--source", "the shop"]);
    assert_eq!(code, Some(65));
    assert!(words.contains("bad.csv: line 3, column `address`: `x` is not"), "{words}");
    assert!(
        words.contains("bad.csv: line 4, column `topics`: there is no topic `sport`"),
        "{words}"
    );
    assert!(words.ends_with("nothing was imported\n"), "{words}");
    assert_eq!(refused(&rig, &["list"]).0, Some(69), "not even a store was made");
    let good = file(&rig, "good.csv", "address\n1\n");
    for (args, code) in [
        (vec!["import", &good, "--channel", "bot"], 2),
        (vec!["import", &good, "--channel", "bot", "--source", " "], 2),
        (vec!["import", &good, "--channel", "boat", "--source", "x"], 1),
        (vec!["import", &good, "--channel", "bot", "--source", "x", "--topic", "sport"], 1),
        (vec!["import", "nowhere.csv", "--channel", "bot", "--source", "x"], 74),
    ] {
        assert_eq!(refused(&rig, &args).0, Some(code), "{args:?}");
    }
    said(&rig, &["import", &good, "--channel", "bot", "--source", "x"]);
    for args in [
        vec!["list", "--where", "no_such == 1"],
        vec!["list", "--topic", "sport"],
        vec!["show", "boat", "1"],
    ] {
        assert_eq!(refused(&rig, &args).0, Some(1), "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stopped_or_blocked_us_comes_back_only_by_themselves() {
    let rig = Rig::new(telegram::Rules::default()).await;
    let out = [(1, Standing::Stopped), (2, Standing::Blocked), (3, Standing::Gone)];
    let people = out.map(|(id, standing)| {
        let person = rig::person(id);
        tidings::model::subscriber::Subscriber { standing, ..person }
    });
    rig.import("bot", people.to_vec()).await;
    let daemon = rig.start();
    let all = file(&rig, "all.csv", "address\n1\n2\n3\n4\n");
    let told = json_of(&rig, &["import", &all, "--channel", "bot", "--source", "x"]);
    assert_eq!((&told["added"], &told["kept_out"]), (&json!(1), &json!(3)));
    let active = |rig: &Rig| {
        let people = json_of(rig, &["list", "--standing", "active"])["subscribers"].clone();
        let people = people.as_array().unwrap().clone();
        people.into_iter().map(|it| it["address"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(active(&rig), ["4"]);
    let person = rig.telegram.person(2, "en");
    person.starts(None);
    soon("the welcome", person.wait_inbox(1)).await;
    assert_eq!(active(&rig), ["2", "4"]);
    daemon.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_sees_what_is_known_of_them_and_has_it_forgotten() {
    let rig = Rig::new(telegram::Rules::default()).await;
    rig.site.publish("Old news", "<p>Words.</p>");
    let daemon = rig.start();
    rig.baseline().await;
    let ana = rig.telegram.person(7, "en");
    ana.is_called("Ana");
    ana.starts(Some("news"));
    soon("the welcome", ana.wait_inbox(1)).await;
    ana.says("/privacy");
    let inbox = soon("what is known", ana.wait_inbox(2)).await;
    let told = &inbox[1];
    for part in
        ["This is what we know", "your address here: 7", "Ana", "your topics: News", "you agreed"]
    {
        assert!(told.text.contains(part), "{}", told.text);
    }
    let button = |label: &str| told.button(label).unwrap().to_owned();
    ana.taps(told.message_id, &button("Get it as a file")).unwrap();
    let inbox = soon("the file", ana.wait_inbox(4)).await;
    let shown = inbox[3].media.as_ref().expect("a file");
    assert_eq!(shown.name.as_deref(), Some("my-data.json"));
    let (_, text) = get(&shown.address).await;
    let record: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&record["first_name"], &record["address"]), (&json!("Ana"), &json!("7")));
    assert_eq!(record["consents"][0]["way"], "start:news");
    assert!(record["consents"][0]["words"].as_str().is_some_and(|words| !words.is_empty()));

    ana.taps(told.message_id, &button("Erase everything")).unwrap();
    let inbox = soon("the question", ana.wait_inbox(5)).await;
    let yes = inbox[4].button("Yes, erase").unwrap().to_owned();
    ana.taps(inbox[4].message_id, &yes).unwrap();
    let inbox = soon("the goodbye", ana.wait_inbox(6)).await;
    assert!(inbox[5].text.contains("Everything is erased"), "{}", inbox[5].text);
    assert_eq!(refused(&rig, &["show", "bot", "7"]).0, Some(1));

    // Nothing more is sent, and they come back as somebody new.
    let bo = rig.telegram.person(8, "en");
    bo.starts(Some("news"));
    soon("the welcome", bo.wait_inbox(1)).await;
    rig.site.publish("Fresh news", "<p>Words.</p>");
    soon("the post", bo.wait_inbox(2)).await;
    assert_eq!(ana.inbox().len(), 6);
    ana.starts(Some("news"));
    soon("another welcome", ana.wait_inbox(7)).await;
    let back = json_of(&rig, &["show", "bot", "7"]);
    assert_eq!((&back["number"], back["consents"].as_array().unwrap().len()), (&json!(2), 1));
    let verdict = json_of(&rig, &["consents"]);
    assert_eq!((&verdict["holds"], &verdict["entries"]), (&json!(true), &json!(4)));
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("Ana"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_messenger_the_file_is_an_attachment() {
    let rig = Rig::new(telegram::Rules::default()).await;
    let daemon = rig.start();
    let ion = rig.messenger.person("4711");
    ion.starts(None);
    soon("the welcome", ion.wait_inbox(1)).await;
    ion.says("Privacy");
    let inbox = soon("what is known", ion.wait_inbox(2)).await;
    let payload = inbox[1].button("Get it as a file").unwrap().to_owned();
    assert!(ion.taps(&payload));
    let inbox = soon("the file", ion.wait_inbox(4)).await;
    assert_eq!(inbox[3].message["attachment"]["type"], "file", "{:?}", inbox[3]);
    let (_, text) = get(&inbox[3].media[0]).await;
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["address"], "4711");
    let payload = inbox[1].button("Erase everything").unwrap().to_owned();
    assert!(ion.taps(&payload));
    let inbox = soon("the question", ion.wait_inbox(5)).await;
    let yes = inbox[4].button("Yes, erase").unwrap().to_owned();
    assert!(ion.taps(&yes));
    soon("the goodbye", ion.wait_inbox(6)).await;
    assert_eq!(refused(&rig, &["show", "page", "4711"]).0, Some(1));
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    let store = redb::open(&rig.store_file()).unwrap();
    assert_eq!(store.load_subscribers(&name("page")).await.unwrap(), []);
}

fn url_safe(bytes: &[u8]) -> String {
    base64::encode(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

fn signed_request(secret: &str, user_id: &str) -> String {
    let fields = json!({ "algorithm": "HMAC-SHA256", "user_id": user_id });
    let payload = url_safe(fields.to_string().as_bytes());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    format!("signed_request={}.{payload}", url_safe(&mac.finalize().into_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_c08_a_deletion_that_meta_asks_for_is_done_and_can_be_looked_up() {
    let mut rig = Rig::new(telegram::Rules::default()).await;
    rig.listen_keys = format!("public_url = \"http://{}/\"\n", rig.public);
    let check = String::from_utf8(rig.command(&["check"]).stdout).unwrap();
    assert!(check.contains(&format!("data deletion at http://{}/meta/page/delete", rig.public)));
    let daemon = rig.start();
    let ion = rig.messenger.person("4711");
    ion.starts(None);
    soon("the welcome", ion.wait_inbox(1)).await;
    let post = |path: &str, form: &str| {
        let host = rig.public.clone();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        );
        async move { ask(&host, request).await }
    };
    let secret = rig.messenger.app_secret().to_owned();
    for forged in ["", "signed_request=a.b", &signed_request("another", "4711")] {
        let (head, _) = post("/meta/page/delete", forged).await;
        assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    }
    let (head, _) = post("/meta/bot/delete", &signed_request(&secret, "4711")).await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    assert_eq!(json_of(&rig, &["show", "page", "4711"])["address"], "4711");

    let (head, body) = post("/meta/page/delete", &signed_request(&secret, "4711")).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let told: Value = serde_json::from_str(&body).unwrap();
    let url = told["url"].as_str().unwrap();
    assert!(url.ends_with(told["confirmation_code"].as_str().unwrap()), "{told}");
    assert_eq!(refused(&rig, &["show", "page", "4711"]).0, Some(1));
    let (head, page) = get(url).await;
    assert!(head.contains("content-security-policy") && !page.contains("4711"), "{head}");
    assert!(page.contains("wurde am") && page.contains("<html lang=\"de\""), "{page}");
    assert_eq!(post("/meta/page/delete", &signed_request(&secret, "4711")).await.1, body);

    // The app's own id names nobody here: the page says how one erases oneself.
    let (_, body) = post("/meta/page/delete", &signed_request(&secret, "218471")).await;
    let told: Value = serde_json::from_str(&body).unwrap();
    assert!(get(told["url"].as_str().unwrap()).await.1.contains("Datenschutz"));
    let (head, _) = get(&rig.url("/meta/status/aaaaaaaaaaaaaaaaaaaaaaaaaa")).await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    let (head, _) = post("/meta/page/deauthorize", &signed_request(&secret, "218471")).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let (code, log) = daemon.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("removed the app") && !log.contains("218471"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_somebody_goes_with_its_message_and_is_kept_for_no_other() {
    let rig = Rig::new(telegram::Rules::default()).await;
    let daemon = rig.start();
    let mihai = rig.messenger.person("8");
    mihai.says("start");
    soon("the welcome", mihai.wait_inbox(1)).await;
    mihai.says("/privacy");
    soon("what is known", mihai.wait_inbox(2)).await;
    assert!(mihai.taps("1:cmd:privacy:export"));
    let inbox = soon("the file", mihai.wait_inbox(4)).await;
    let (_, text) = get(&inbox[3].media[0]).await;
    let record: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["address"], "8");
    let asked = rig.messenger.ledger().requests();
    assert!(asked.iter().all(|asked| asked.method != "message_attachments"));
    daemon.terminate();
}
