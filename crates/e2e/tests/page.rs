//! The page in a real browser, on real nodes: `page/walk.mjs` walks through it.
//!
//! It needs `node`, a Chromium, and the packages that `scripts/test` installs beside the program. Where one of them is
//! missing, it says so loudly and tests nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use e2e::{Place, Village, program};

/// How long people sleep. The pages of the first two are opened; all others say yes to everything.
const HOURS: [&str; 7] = ["5.5", "6.5", "7.5", "8.5", "5.5", "6.5", "7.5"];
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
    let qualities = ["good", "bad"].into_iter().cycle();
    let nights: Vec<_> = HOURS.into_iter().zip(qualities).map(Some).collect();
    let village = Village::asleep(Place::new(), &nights);
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
