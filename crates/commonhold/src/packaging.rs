//! What a system wants besides the program: a service, completions, manual pages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Subcommand, ValueEnum};
use clap_complete::Shell;
use etcetera::base_strategy::{BaseStrategy, Xdg};

use crate::cli::{ANSWERED, FAILED, Program, fail};
use crate::output::tell;

/// Name of the service.
const UNIT: &str = "commonhold.service";

/// What about the service.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ServiceCommand {
    /// Print a systemd unit for your own services
    Print,
    /// Write it where systemd looks for your own services
    Install,
}

/// Of `commonhold completions`.
#[derive(Debug, Args)]
pub struct CompletionsOptions {
    /// For which shell
    #[arg(value_enum)]
    pub shell: ShellOption,
}

/// Shells.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ShellOption {
    /// Bourne again.
    Bash,
    /// Z.
    Zsh,
    /// Friendly interactive.
    Fish,
}

/// Of `commonhold man`.
#[derive(Debug, Args)]
pub struct ManOptions {
    /// Folder for the pages; made if it is not there
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Runs `commonhold service`.
pub fn service(command: ServiceCommand) -> ExitCode {
    let done = std::env::current_exe().and_then(|program| match command {
        ServiceCommand::Print => Ok(unit(&program)),
        ServiceCommand::Install => install(&program),
    });
    say(done)
}

fn say(done: io::Result<String>) -> ExitCode {
    match done {
        Ok(text) => {
            tell(text.trim_end_matches('\n'));
            ExitCode::from(ANSWERED)
        }
        Err(why) => fail(false, &why.to_string(), FAILED),
    }
}

fn install(program: &Path) -> io::Result<String> {
    let config = Xdg::new().map_err(io::Error::other)?.config_dir();
    let folder = config.join("systemd").join("user");
    fs::create_dir_all(&folder)?;
    let path = folder.join(UNIT);
    fs::write(&path, unit(program))?;
    let path = path.display();
    Ok(format!(
        "{path} is written. To start it now and at each login:\n\
         systemctl --user daemon-reload && systemctl --user enable --now commonhold\n\
         To let it run while you are not logged in: loginctl enable-linger\n"
    ))
}

/// The unit. What a node needs is its folder and the network.
fn unit(program: &Path) -> String {
    // systemd reads backslashes, quotes and percent signs in its own way.
    let quoted = program
        .display()
        .to_string()
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('%', "%%")
        .replace('$', "$$");
    include_str!("../../../dist/commonhold.service")
        .replace("/usr/bin/commonhold", &format!("\"{quoted}\""))
}

/// Runs `commonhold completions`.
pub fn completions(options: &CompletionsOptions) -> ExitCode {
    let shell = match options.shell {
        ShellOption::Bash => Shell::Bash,
        ShellOption::Zsh => Shell::Zsh,
        ShellOption::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Program::command(), "commonhold", &mut script);
    say(String::from_utf8(script).map_err(io::Error::other))
}

/// Runs `commonhold man`.
pub fn man(options: &ManOptions) -> ExitCode {
    let written = fs::create_dir_all(&options.folder)
        .and_then(|()| clap_mangen::generate_to(Program::command(), &options.folder));
    say(written.map(|()| String::new()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{REFUSED, USAGE};

    #[test]
    fn the_unit_starts_this_program() {
        let text = unit(Path::new("/opt/my \"100%\" $x/commonhold"));
        assert!(
            text.contains("ExecStart=\"/opt/my \\\"100%%\\\" $$x/commonhold\" up\n"),
            "{text}"
        );
        assert!(!text.contains("/usr/bin"));
        // What would end in the same way, or run a node twice, is not started again.
        let final_codes = format!("\nRestartPreventExitStatus={USAGE} {REFUSED}\n");
        assert!(text.contains(&final_codes), "{text}");
    }

    #[test]
    fn every_shell_has_completions_and_every_command_a_page() {
        Program::command().debug_assert();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Program::command(), "commonhold", &mut script);
            let script = String::from_utf8(script).expect("text");
            assert!(
                script.contains("doctor") && script.contains("inbox"),
                "{shell}"
            );
        }
        let folder = tempfile::tempdir().expect("a folder");
        let options = ManOptions {
            folder: folder.path().join("man1"),
        };
        man(&options);
        for page in [
            "commonhold.1",
            "commonhold-up.1",
            "commonhold-question-ask.1",
        ] {
            let page = fs::read_to_string(options.folder.join(page)).expect("there");
            assert!(page.contains(".TH"));
        }
    }
}
