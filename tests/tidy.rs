//! The directions of imports and the homes of outside crates, as ARCHITECTURE.md draws them.
//!
//! Nothing of taste is checked here. If a rule is in the way of a better shape, change it in the
//! same commit and say why.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "it shows and fails as a test does"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module and which of ours it may import.
const MAY_IMPORT: [(&str, &[&str]); 23] = [
    ("model", &[]),
    // The clock speaks in the model's instants, bells are rung by channel name.
    ("runtime", &["model"]),
    ("store", &["model"]),
    ("channel", &["model"]),
    ("config", &["model"]),
    ("markup", &["model"]),
    ("extract", &["model", "markup"]),
    ("diff", &["model"]),
    ("plan", &["model"]),
    ("render", &["model", "markup"]),
    // It shows calls, in the lines that `render` draws a message with.
    ("preview", &["model", "markup", "render", "channel"]),
    ("invite", &["model", "markup"]),
    ("poll", &["model", "runtime", "store", "extract", "diff", "plan"]),
    ("media", &["model"]),
    // What is due is asked again whether it goes, and gathered.
    ("compose", &["model", "runtime", "store", "plan", "render"]),
    // Posts that name their reader are set for each.
    ("deliver", &["model", "runtime", "store", "channel", "render", "media"]),
    // It asks a service for the names of people, where their events tell none, and shows the newest
    // items as cards.
    ("converse", &["model", "runtime", "store", "channel", "render"]),
    ("listen", &["model", "runtime", "store", "channel", "invite"]),
    ("maintain", &["model", "runtime", "store"]),
    // The page on which forms are made shows them.
    ("admin", &["model", "runtime", "store", "markup", "invite"]),
    (
        "daemon",
        // Selectors of pages are settings that only their reader can check.
        &[
            "model", "runtime", "store", "channel", "config", "extract", "render", "poll",
            "compose", "deliver", "media", "converse", "listen", "maintain", "admin", "invite",
        ],
    ),
    ("sandbox", &["model", "runtime", "config", "daemon"]),
    (
        "cli",
        &[
            "model", "runtime", "store", "config", "markup", "extract", "diff", "render",
            "channel", "preview", "invite", "poll", "admin", "daemon", "sandbox",
        ],
    ),
];

/// Outside crates and the places that may name them.
const HOMES: [(&str, &[&str]); 22] = [
    ("redb", &["src/store/redb/"]),
    // The model shows in a test that its own form survives the store's.
    ("postcard", &["src/store/", "src/model/known.rs"]),
    ("reqwest", &["src/poll/", "src/channel/"]),
    ("feed_rs", &["src/extract/"]),
    ("quick_xml", &["src/extract/"]),
    ("robotxt", &["src/extract/robots.rs"]),
    ("memchr", &["src/extract/", "src/markup/"]),
    ("zip", &["src/extract/catalog/unpack.rs"]),
    // The tree of a page is built by us, of the parts that the matcher of selectors knows.
    ("markup5ever", &["src/markup/", "src/extract/dom/"]),
    ("scraper", &["src/extract/"]),
    ("dom_smoothie", &["src/extract/page/article.rs"]),
    ("regex", &["src/extract/page/", "src/render/expression/"]),
    ("image", &["src/media/convert.rs", "src/invite/qr.rs", "src/invite/cover.rs"]),
    ("fast_qr", &["src/invite/qr.rs"]),
    ("minijinja", &["src/render/"]),
    ("cron", &["src/model/schedule.rs"]),
    ("toml", &["src/config/"]),
    ("clap", &["src/cli/"]),
    ("axum", &["src/listen/", "src/admin/", "src/sandbox/"]),
    ("prometheus_client", &["src/runtime/meters.rs"]),
    ("sd_notify", &["src/runtime/systemd.rs"]),
    ("anyhow", &["src/main.rs", "src/cli/", "src/daemon/", "src/sandbox/"]),
];

#[test]
fn imports_run_downward() {
    let rules: BTreeMap<&str, &[&str]> = MAY_IMPORT.into_iter().collect();
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let Some(module) = module_of(&path) else { continue };
        let Some(allowed) = rules.get(module.as_str()) else {
            faults.push(format!("{path}: no rule for `{module}`: add one to tests/tidy.rs"));
            continue;
        };
        for (line, other) in imports(&text) {
            if other != module && !allowed.contains(&other.as_str()) {
                faults.push(format!("{path}:{line}: `{module}` may not import `{other}`"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn each_outside_crate_stays_at_home() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        for (krate, homes) in HOMES {
            if homes.iter().any(|home| path.starts_with(home)) {
                continue;
            }
            for (line, code) in code_lines(&text) {
                if names_crate(code, krate) {
                    faults.push(format!("{path}:{line}: `{krate}` lives in {}", homes.join(", ")));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the source folder can be read") {
            let path: PathBuf = entry.expect("its entries can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file is UTF-8");
                let shown = path.strip_prefix(root).expect("it is below the root");
                found.push((shown.display().to_string(), text));
            }
        }
    }
    assert!(found.len() > 20, "the sources were found");
    found.sort();
    found
}

/// `src/poll/fetch.rs` and `src/daemon.rs` → `poll`, `daemon`; `main.rs` and `lib.rs` have no rule.
fn module_of(path: &str) -> Option<String> {
    let inner = path.strip_prefix("src/")?;
    let first = inner.split('/').next()?.trim_end_matches(".rs");
    (first != "main" && first != "lib").then(|| first.to_owned())
}

/// Every `crate::x` in code, tests at the end of a file included.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, code) in code_lines(text) {
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            if let Some(grouped) = rest.strip_prefix('{') {
                let names =
                    grouped.split([',', '}']).map(str::trim).filter(|name| !name.is_empty());
                found.extend(names.map(|name| (line, first_word(name))));
            } else {
                found.push((line, first_word(rest)));
            }
        }
    }
    found.retain(|(_, name)| !name.is_empty());
    found
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim_start()))
        .filter(|(_, line)| !line.starts_with("//"))
}

fn names_crate(code: &str, krate: &str) -> bool {
    code.match_indices(&format!("{krate}::")).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}
