//! The system's keyring (Secret Service: GNOME Keyring, KWallet, KeePassXC), by the desktop's own tool for it.
//!
//! `secret-tool` of libsecret takes a secret on its standard input and gives it on its standard output, so that it never is an
//! argument, which others could see. Why it, and no crate: docs/dependencies.md.

use std::io::{ErrorKind, Write};
use std::process::{Command, Output, Stdio};

use zeroize::Zeroizing;

const TOOL: &str = "secret-tool";

/// Keeps `secret`, one line of text, under this name.
pub fn store(name: &str, label: &str, secret: &str) -> Result<(), String> {
    let label = format!("--label={label}");
    let output = run(&["store", &label], name, Some(secret))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(refused(&output)),
    }
}

/// What is kept under this name.
pub fn look_up(name: &str) -> Result<Zeroizing<String>, String> {
    let output = run(&["lookup"], name, None)?;
    let found = Zeroizing::new(output.stdout.clone());
    let text = std::str::from_utf8(&found).unwrap_or_default().trim_end();
    match output.status.success() && !text.is_empty() {
        true => Ok(Zeroizing::new(text.to_owned())),
        false => Err(refused(&output)),
    }
}

/// Forgets what is kept under this name, if anything is.
pub fn forget(name: &str) -> Result<(), String> {
    let output = run(&["clear"], name, None)?;
    // Some versions fail without a word where there is nothing to forget.
    match output.status.success() || output.stderr.is_empty() {
        true => Ok(()),
        false => Err(refused(&output)),
    }
}

fn run(arguments: &[&str], name: &str, input: Option<&str>) -> Result<Output, String> {
    let started = Command::new(TOOL)
        .args(arguments)
        .args(["application", "commonhold", "key", name])
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut tool = started.map_err(|why| match why.kind() {
        ErrorKind::NotFound => format!("{TOOL} is not installed (Debian: libsecret-tools)"),
        _ => why.to_string(),
    })?;
    if let Some((mut pipe, input)) = tool.stdin.take().zip(input) {
        // One that has ended says why below.
        let _ = pipe.write_all(input.as_bytes());
    }
    tool.wait_with_output().map_err(|why| why.to_string())
}

fn refused(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    match said.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => line.to_owned(),
        _ => "it holds no such key, or is locked".to_owned(),
    }
}
