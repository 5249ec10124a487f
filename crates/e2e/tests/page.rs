//! The page in a real browser, on real nodes: `page/walk.mjs` walks through it.
//!
//! It needs `node`, a Chromium, and the packages that `scripts/test` installs beside the program. Where one of them is
//! missing, it says so loudly and tests nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use e2e::{Place, SLEEP_AND_QUALITY, Village, program};

/// The pages of the first two are opened; all others say yes to everything.
const NODES: usize = 7;
/// Where a Chromium can be.
const BROWSERS: [&str; 3] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
];

/// What the walk needs: a browser, and the folder of its packages. Else the name of what is missing.
fn tools() -> Result<(&'static str, PathBuf), &'static str> {
    let mut node = Command::new("node");
    let version = node.arg("--version").stdout(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        return Err("node");
    }
    let browser = BROWSERS.iter().find(|path| Path::new(path).exists());
    let packages = beside("playwright/node_modules");
    let there = |name: &str| packages.join(name).exists();
    match browser {
        None => Err("chromium"),
        Some(_) if !there("playwright-core") => Err("playwright-core"),
        Some(_) if !there("axe-core") => Err("axe-core"),
        Some(browser) => Ok((browser, packages)),
    }
}

/// In the target folder.
fn beside(name: &str) -> PathBuf {
    let program = program();
    let target = program.ancestors().nth(2).expect("it is in target/debug");
    target.join(name)
}

fn settled(place: Place) -> Village {
    std::fs::write(place.path("words.toml"), SLEEP_AND_QUALITY).expect("a file");
    let mut village = Village::new(place);
    village.found_with(NODES, &["--vocabulary", "words.toml"]);
    for node in 0..NODES {
        let folder = node.to_string();
        let quality = ["good", "bad"][node % 2];
        let rows = format!("hours,quality\n{}.5,{quality}\n", 5 + node % 4);
        std::fs::write(village.place.path("sleep.csv"), rows).expect("a file");
        village.done(&["data", "import", "sleep.csv", "--dir", &folder]);
        if node > 1 {
            village.done(&["question", "rule", "default", "yes", "--dir", &folder]);
        }
    }
    for node in 0..NODES {
        let all = |status: &serde_json::Value| status["peers_known"] == NODES - 1;
        village.waits(&node.to_string(), 90, all);
    }
    village
}

#[test]
fn people_decide_ask_and_check_in_a_browser() {
    let (browser, packages) = match tools() {
        Ok(tools) => tools,
        Err(missing) => {
            eprintln!(
                "NOT TESTED: the page in a browser, for there is no {missing}; scripts/test installs it"
            );
            return;
        }
    };
    let village = settled(Place::new());
    // For somebody who joins on the page, and writes it wrongly first.
    let ticket = village.ticket(&["--uses", "2", "--member", &village.member("0")]);
    let walk = Path::new(env!("CARGO_MANIFEST_DIR")).join("page/walk.mjs");
    let walked = Command::new("node")
        .arg(walk)
        .current_dir(village.place.path("."))
        .env("PROGRAM", program())
        .env("BROWSER", browser)
        .env("PACKAGES", packages)
        .env("SCREENSHOTS", beside("screenshots"))
        .env("TICKET", &ticket)
        .env("XDG_CONFIG_HOME", village.place.path("config"))
        .env("COMMONHOLD_LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null())
        .output()
        .expect("node starts");
    let (out, err) = (
        String::from_utf8_lossy(&walked.stdout),
        String::from_utf8_lossy(&walked.stderr),
    );
    println!("{out}");
    assert!(walked.status.success(), "{out}\n{err}");
}
