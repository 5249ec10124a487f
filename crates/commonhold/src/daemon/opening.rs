//! `open`: the node's page in a browser; who has no node yet begins one with it.

use std::env;
use std::process::{ExitCode, Stdio};

use api::Client;
use base::Duration;
use clap::Args;
use tokio::process::Command;
use tokio::time::timeout;

use crate::cli::{ANSWERED, FAILED};
use crate::community_command::options::Secret;
use crate::daemon::folder::{self, FolderError};
use crate::daemon::running::{UpOptions, detach};
use crate::daemon::{Failure, Where, converse};
use crate::home::{Home, system_rng};
use crate::output::tell;

/// Opens an address in the browser of the person's choice.
const OPENER: &str = "xdg-open";
/// For it to say that it cannot. Some go on as long as the browser does.
const CANNOT_WITHIN: Duration = Duration::from_secs(3);

/// Of `commonhold open`.
#[derive(Debug, Args)]
pub struct OpenOptions {
    /// Print the address instead of opening it: for another browser, or where others who use this machine may see what
    /// programs are called with
    #[arg(long)]
    pub print: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Opens the page, or says its address where there is no browser.
pub fn open(options: &OpenOptions) -> ExitCode {
    converse(false, async {
        let (address, within_secs) = client(&options.place).await?.page().await?;
        if options.print || !shows(&address).await {
            tell(format_args!("{address}"));
        } else {
            tell(format_args!(
                "opened in your browser; the link works once, within {within_secs} s"
            ));
        }
        Ok(ANSWERED)
    })
}

/// Speaks to the node, which is started where it does not run, and begun where there is none.
async fn client(place: &Where) -> Result<Client, Failure> {
    let folder = place.config()?.folder;
    match folder::client(&folder) {
        Err(FolderError::Nobody(_) | FolderError::CutShort(_)) => {
            let begun = Home::at(&folder).begin(&mut system_rng());
            begun.map_err(|why| Failure::new(why, FAILED))?;
        }
        Err(FolderError::Idle(_)) => {}
        found => return Ok(found?),
    }
    let up = UpOptions {
        place: place.clone(),
        detach: true,
        enrol: None,
        secret: Secret::default(),
        record: None,
    };
    detach(&up).await?;
    Ok(folder::client(&folder)?)
}

/// Whether a browser takes it.
pub async fn shows(address: &str) -> bool {
    // Without a screen it would start a browser in the terminal.
    let screens = ["DISPLAY", "WAYLAND_DISPLAY"];
    if !screens.iter().any(|name| env::var_os(name).is_some()) {
        return false;
    }
    let opener = Command::new(OPENER)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut opener) = opener else {
        return false;
    };
    match timeout(CANNOT_WITHIN, opener.wait()).await {
        Ok(ended) => ended.is_ok_and(|status| status.success()),
        Err(_) => true,
    }
}
