//! `up`, `down`, `status` and `doctor`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use api::{Check, Verdict};
use base::Duration;
use clap::Args;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use crate::cli::{ANSWERED, FAILED, TIMED_OUT};
use crate::community_command::Reception;
use crate::community_command::options::Secret;
use crate::config::LogTo;
use crate::daemon::folder::{Claimed, FolderError, client};
use crate::daemon::{Failure, Where, checks, converse, core, shown};
use crate::home::Home;
use crate::log::Log;
use crate::output::tell;
use crate::passphrase::{self, STDIN};
use crate::witness::Witness;

/// For a node to start, or to stop.
const WITHIN: Duration = Duration::from_secs(30);
/// Room for two passphrases, so that they are written down once.
const TYPED_MAX: usize = 2 * (passphrase::LONGEST as usize + 1);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Of `commonhold up`.
#[derive(Debug, Clone, Args)]
pub struct UpOptions {
    /// Which node.
    #[command(flatten)]
    pub place: Where,
    /// Return once it runs, and log to the file log in its folder
    #[arg(long)]
    pub detach: bool,
    /// Let people with tickets in as long as the node runs: with the key in the folder of the authority, or of who certifies
    /// for it [default: the only one in your data folder]
    #[arg(long, value_name = "DIR")]
    pub enrol: Option<Option<PathBuf>>,
    /// Of the key in that folder.
    #[command(flatten)]
    pub secret: Secret,
    /// Write all that the node is told to a new file, encrypted under its own key, to look for a fault: commonhold simulate
    /// replay. It grows with every message, and holds what your data answer to questions
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

/// Of `commonhold status`.
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// Which node.
    #[command(flatten)]
    pub place: Where,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Of `commonhold doctor`.
#[derive(Debug, Args)]
pub struct DoctorOptions {
    /// Which node.
    #[command(flatten)]
    pub place: Where,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Runs the node until it is told to stop.
pub fn up(options: &UpOptions) -> ExitCode {
    converse(false, async {
        if options.detach {
            let (folder, process) = detach(options).await?;
            tell(format_args!(
                "running in {}, process {process}",
                folder.display()
            ));
            return Ok(ANSWERED);
        }
        let enrol = options.enrol.as_ref().map(Option::as_deref);
        let reception = enrol.map(|folder| Reception::open(folder, &options.secret));
        let reception = reception.transpose()?;
        let config = options.place.config()?;
        let home = options.place.home_of(&config);
        let log = match config.log {
            LogTo::Stderr => Log::stderr(config.log_level),
            LogTo::File => {
                let path = Home::at(&config.folder).log();
                let log = Log::file(config.log_level, &path, config.log_mib_max << 20);
                log.map_err(|why| {
                    Failure::new(format!("cannot write {}: {why}", path.display()), FAILED)
                })?
            }
        };
        let stop = stopped().map_err(|why| Failure::new(why, FAILED))?;
        let ran = core::run(home, config, log, reception, options.record.clone(), stop).await;
        ran.map_err(|why| Failure::new(&why, why.code()))?;
        Ok(ANSWERED)
    })
}

/// Runs the node of a demo as `up` does, for as long as somebody holds its standard input open.
pub fn up_until_input_ends(folder: &Path, config: PathBuf) -> ExitCode {
    let place = Where {
        dir: Some(folder.to_path_buf()),
        config: Some(config),
        key_passphrase_file: None,
    };
    converse(false, async {
        let config = place.config()?;
        let home = place.home_of(&config);
        let ended = async {
            let mut input = tokio::io::stdin();
            let mut read = [0; 64];
            while matches!(input.read(&mut read).await, Ok(1..)) {}
        };
        let log = Log::stderr(config.log_level);
        let ran = core::run(home, config, log, None, None, ended).await;
        ran.map_err(|why| Failure::new(&why, why.code()))?;
        Ok(ANSWERED)
    })
}

/// Ctrl-C or SIGTERM. A terminal that is closed does not stop a node.
pub(super) fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => return,
                _ = terminate.recv() => return,
                _ = hangup.recv() => {}
            }
        }
    })
}

/// Starts a process of its own and waits until it answers. Gives its folder and its number.
pub async fn detach(options: &UpOptions) -> Result<(PathBuf, u32), Failure> {
    let place = &options.place;
    let config = place.config()?;
    // What would fail at once is said here and not in the log.
    drop(Claimed::claim(&config.folder)?);
    let failed = |why: std::io::Error| Failure::new(format!("cannot start: {why}"), FAILED);
    let path = Home::at(&config.folder).log();
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path);
    let log = log.map_err(failed)?;
    let before = log.metadata().map_err(failed)?.len();
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.arg("up").arg("--dir").arg(&config.folder);
    if let Some(file) = &place.config {
        command.arg("--config").arg(file);
    }
    if let Some(folder) = &options.enrol {
        command.arg("--enrol").args(folder);
    }
    if let Some(file) = options.secret.kept() {
        command.arg("--passphrase-file").arg(file);
    }
    if let Some(file) = &options.record {
        command.arg("--record").arg(file);
    }
    // Where it lives there is nobody to ask: what is typed here goes in by lines, in the order in which it is wanted.
    let mut typed = Zeroizing::new(Vec::with_capacity(TYPED_MAX));
    let mut pass_on = |option: &str, passphrase: &str| {
        typed.extend_from_slice(passphrase.as_bytes());
        typed.push(b'\n');
        command.arg(option).arg(STDIN);
    };
    if options.enrol.is_some() && options.secret.again()?.is_none() {
        let given = options.secret.given();
        pass_on(given.option, &given.known("the key that lets people in")?);
    }
    let home = place.home_of(&config);
    let passphrase = home.passphrase().map_err(|why| Failure::new(why, FAILED))?;
    if let Some(passphrase) = passphrase {
        pass_on("--key-passphrase-file", &passphrase);
    }
    let mut process = command
        .env("COMMONHOLD_LOG", "file")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    if let Some(mut pipe) = process.stdin.take() {
        // One that has ended at once says why in its log.
        drop(pipe.write_all(&typed));
    }
    let began = Instant::now();
    loop {
        if let Ok(client) = client(&config.folder)
            && client.beginning().await.is_ok()
        {
            return Ok((config.folder, process.id()));
        }
        if let Some(ended) = process.try_wait().map_err(failed)? {
            let said = fs::read(&path).map_err(failed)?;
            let said = said.get(before as usize..).unwrap_or_default();
            let said = String::from_utf8_lossy(said);
            let why = said.lines().find_map(|line| line.strip_prefix("error: "));
            return Err(Failure::new(
                why.unwrap_or("it ended at once; see its log"),
                ended.code().map_or(FAILED, |code| code as u8),
            ));
        }
        if began.elapsed() > WITHIN {
            return Err(Failure::new(
                "it did not start in time; see its log",
                TIMED_OUT,
            ));
        }
        sleep(LOOK).await;
    }
}

/// Stops the node and waits until it has.
pub fn down(place: &Where) -> ExitCode {
    converse(false, async {
        let folder = place.config()?.folder;
        client(&folder)?.shutdown().await?;
        stopped_in(&folder).await?;
        tell("The node has stopped.");
        Ok(ANSWERED)
    })
}

/// Waits until no node runs in this folder any more.
pub async fn stopped_in(folder: &Path) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        // The lock goes last.
        match Claimed::claim(folder) {
            Ok(_) => return Ok(()),
            Err(FolderError::Taken(_)) if began.elapsed() <= WITHIN => sleep(LOOK).await,
            Err(FolderError::Taken(_)) => {
                return Err(Failure::new(
                    "it did not stop in time; see its log",
                    TIMED_OUT,
                ));
            }
            Err(why) => return Err(why.into()),
        }
    }
}

/// Says how the node is.
pub fn status(options: &StatusOptions) -> ExitCode {
    converse(options.json, async {
        let status = options.place.client()?.status().await?;
        if options.json {
            tell(format_args!("{:#}", serde_json::json!(status)));
        } else {
            tell(shown::status(&status).join("\n"));
        }
        Ok(ANSWERED)
    })
}

/// Looks at everything, whether the node runs or not.
pub fn doctor(options: &DoctorOptions) -> ExitCode {
    converse(options.json, async {
        let checks = examined(&options.place).await;
        let worst = checks.iter().map(|check| check.verdict).max();
        if options.json {
            tell(format_args!(
                "{:#}",
                serde_json::json!({ "checks": checks })
            ));
        } else {
            tell(shown::checks(&checks).join("\n"));
        }
        Ok(if worst == Some(Verdict::Fail) {
            FAILED
        } else {
            ANSWERED
        })
    })
}

async fn examined(place: &Where) -> Vec<Check> {
    let config = match place
        .values()
        .and_then(|values| Ok((values.config()?, values)))
    {
        Ok((config, values)) => {
            let there = if values.path.exists() {
                "is well"
            } else {
                "is not there; defaults are used"
            };
            let found = format!("{} {there}", values.path.display());
            (config, checks::works("config", &found))
        }
        Err(why) => return vec![checks::failed("config", &why.to_string())],
    };
    let (config, mut checks) = (config.0, vec![config.1]);
    let claimed = match client(&config.folder) {
        Ok(client) => {
            checks.push(checks::works("node", "it runs"));
            match client.doctor().await {
                Ok(doctor) => checks.extend(doctor.checks),
                Err(why) => checks.push(checks::failed("api", &why.to_string())),
            }
            return checks;
        }
        Err(_) => Claimed::claim(&config.folder),
    };
    let _claimed = match claimed {
        Ok(claimed) => claimed,
        Err(why) => {
            checks.push(checks::failed("folder", &why.to_string()));
            return checks;
        }
    };
    checks.push(checks::works("node", "it does not run"));
    checks.push(checks::permissions(&config.folder));
    checks.push(checks::disk(&config.folder, config.disk_free_min_mib));
    checks.push(checks::port(config.listen));
    let home = place.home_of(&config);
    if home.is_begun() {
        checks.push(checks::no_community());
        match home.open_begun() {
            Ok((_, vault)) => {
                checks.push(checks::works("vault", "it opens"));
                checks.push(checks::pages(&vault.check_pages()));
            }
            Err(why) => checks.push(checks::failed("vault", &why.to_string())),
        }
        return checks;
    }
    match home.open() {
        Ok((identity, _, vault)) => {
            checks.push(checks::works("vault", "it opens"));
            checks.push(checks::pages(&vault.check_pages()));
            let witness = Witness::at(&config.folder);
            checks.push(checks::consent_log(&witness.examine(&vault)));
            let now = net::Clock::start().now();
            checks.push(checks::certificate(now, &identity.certificate));
            checks.push(checks::clock(now, now, &identity.certificate, None));
        }
        Err(why) => checks.push(checks::failed("vault", &why.to_string())),
    }
    checks
}
