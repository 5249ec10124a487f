//! A machine of its own: a network namespace with one wire to a [`Router`](crate::router::Router), in which programs run.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Ran;

/// A shell in the namespace, which runs one command after the other.
#[derive(Debug)]
pub struct Host {
    /// Its address on the wire.
    pub address: Ipv4Addr,
    folder: PathBuf,
    shell: Child,
    orders: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
    runs: u32,
}

/// What a namespace begins with: the device, its address, and a way to everybody. The tunnel ends when the shell does.
const BEGIN: &str = r#"
set -eu
ip link set lo up
mkfifo "$OWN/end"
"$TUNNEL" "$WIRES" "$ADDRESS" < "$OWN/end" > "$OWN/tunnel" &
exec 9> "$OWN/end"
for _ in $(seq 200); do grep -q up "$OWN/tunnel" && break; sleep 0.02; done
ip address add "$ADDRESS/24" dev wire
ip link set wire mtu 1420 up
ip route add default dev wire
set +eu
echo ready
exec bash
"#;

/// Whether this machine lets a user make network namespaces with devices in them.
pub fn can_isolate() -> bool {
    let tried = isolated().args(["test", "-w", "/dev/net/tun"]).output();
    tried.is_ok_and(|output| output.status.success())
}

fn isolated() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--net", "--map-root-user"]);
    command
}

impl Host {
    /// Sets a host up. Its own files lie in `folder`, the sockets of wires in `wires`; programs find `environment`.
    ///
    /// # Panics
    ///
    /// When the namespace cannot be made.
    pub fn start(
        address: Ipv4Addr,
        folder: &Path,
        wires: &Path,
        tunnel: &Path,
        environment: &[(&str, &str)],
    ) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let mut shell = isolated()
            .args(["bash", "-c", BEGIN])
            .current_dir(folder)
            .env("OWN", folder)
            .env("WIRES", wires)
            .env("TUNNEL", tunnel)
            .env("ADDRESS", address.to_string())
            .env("XDG_DATA_HOME", folder.join("data"))
            .env("XDG_CONFIG_HOME", folder.join("config"))
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a namespace");
        let orders = shell.stdin.take();
        let said = BufReader::new(shell.stdout.take().expect("its output is piped"));
        let mut host = Self {
            address,
            folder: folder.to_owned(),
            shell,
            orders,
            said,
            runs: 0,
        };
        assert_eq!(host.line(), "ready", "the host {address} did not come up");
        host
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("a shell can be read");
        line.trim_end().to_owned()
    }

    /// Begins to run a program in here; [`end`](Self::end) waits for it.
    ///
    /// # Panics
    ///
    /// When the shell has gone.
    pub fn begin(&mut self, arguments: &[&str]) {
        self.runs += 1;
        let quote = |argument: &&str| format!("'{}'", argument.replace('\'', r"'\''"));
        let command: Vec<_> = arguments.iter().map(quote).collect();
        let (command, run) = (command.join(" "), self.runs);
        let orders = self.orders.as_mut().expect("the host is up");
        writeln!(
            orders,
            "{command} > {run}.out 2> {run}.err < /dev/null 9>&-; echo done $?"
        )
        .and_then(|()| orders.flush())
        .expect("the shell listens");
    }

    /// What became of the program that was begun last.
    ///
    /// # Panics
    ///
    /// When the shell has gone.
    pub fn end(&mut self) -> Ran {
        let line = self.line();
        let code = line
            .strip_prefix("done ")
            .and_then(|code| code.parse().ok());
        let read = |kind: &str| {
            let path = self.folder.join(format!("{}.{kind}", self.runs));
            fs::read_to_string(path).unwrap_or_default()
        };
        Ran {
            code,
            out: read("out"),
            err: read("err"),
        }
    }

    /// Runs a program in here.
    ///
    /// # Panics
    ///
    /// When the shell has gone.
    pub fn run(&mut self, arguments: &[&str]) -> Ran {
        self.begin(arguments);
        self.end()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.orders.take());
        self.shell.wait().ok();
    }
}
