//! A community of real nodes, each in a folder of its own.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::{Place, Ran, SLEEP_AND_QUALITY};

const PASSPHRASE: &str = "correct horse battery";

/// Nodes that are stopped when the test ends, however it does.
pub struct Village {
    /// Where their folders are.
    pub place: Place,
    up: Vec<String>,
}

impl Village {
    /// Nobody yet.
    pub fn new(place: Place) -> Self {
        let up = Vec::new();
        Self { place, up }
    }

    /// People who have slept so, hours and quality, in the folders `0`, `1` and so on of a place; without a night there are no
    /// data. All run and know all, and all but the first two say yes to everything.
    ///
    /// # Panics
    ///
    /// When anything fails.
    pub fn asleep(place: Place, nights: &[Option<(&str, &str)>]) -> Self {
        std::fs::write(place.path("words.toml"), SLEEP_AND_QUALITY).expect("a file");
        let mut village = Self::new(place);
        village.found_with(nights.len(), &["--vocabulary", "words.toml"]);
        for (node, night) in nights.iter().enumerate() {
            let folder = node.to_string();
            if let Some((hours, quality)) = night {
                let rows = format!("hours,quality\n{hours},{quality}\n");
                std::fs::write(village.place.path("sleep.csv"), rows).expect("a file");
                village.done(&["data", "import", "sleep.csv", "--dir", &folder]);
            }
            if node > 1 {
                village.done(&["question", "rule", "default", "yes", "--dir", &folder]);
            }
        }
        for node in 0..nights.len() {
            let all = |status: &Value| status["peers_known"] == nights.len() - 1;
            village.waits(&node.to_string(), 90, all);
        }
        village
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(&[], arguments)
    }

    /// Runs it with these variables of the environment as well.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = self.place.command(arguments);
        command
            .env("XDG_DATA_HOME", self.place.path("data"))
            .env("XDG_CONFIG_HOME", self.place.path("config"))
            .env("COMMONHOLD_PASSPHRASE", PASSPHRASE)
            .env("COMMONHOLD_LISTEN", "127.0.0.1:0")
            .env("COMMONHOLD_API", "127.0.0.1:0")
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        Ran::of(command.output().expect("the program starts"))
    }

    /// Runs it, and it must succeed.
    ///
    /// # Panics
    ///
    /// When it does not.
    pub fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran
    }

    /// What it says with `--json`.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.done(&[arguments, &["--json"]].concat()).json()
    }

    /// Starts the node of a folder.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn up(&mut self, folder: &str, more: &[&str]) {
        self.up_with(&[], folder, more);
    }

    /// Starts it with these variables of the environment; gives its process.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn up_with(&mut self, variables: &[(&str, &str)], folder: &str, more: &[&str]) -> u32 {
        if !self.up.iter().any(|up| up == folder) {
            self.up.push(folder.to_owned());
        }
        let up = [&["up", "--detach", "--dir", folder], more].concat();
        let ran = self.run_with(variables, &up);
        assert_eq!(ran.code, Some(0), "{up:?}: {ran:?}");
        let said = ran.out.trim().rsplit_once("process ");
        let process = said.and_then(|(_, process)| process.parse().ok());
        process.unwrap_or_else(|| panic!("it names no process: {ran:?}"))
    }

    /// Stops the node of a folder.
    ///
    /// # Panics
    ///
    /// When it does not stop.
    pub fn down(&mut self, folder: &str) {
        self.up.retain(|up| up != folder);
        self.done(&["down", "--dir", folder]);
    }

    /// How the node of a folder is.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn status(&self, folder: &str) -> Value {
        self.json(&["status", "--dir", folder])
    }

    /// Waits until the node's status is so.
    ///
    /// # Panics
    ///
    /// When it is not within the time.
    pub fn waits(&self, folder: &str, secs: u64, so: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..4 * secs {
            let status = self.status(folder);
            if so(&status) {
                return status;
            }
            sleep(Duration::from_millis(250));
        }
        panic!("after {secs} s: {:#}", self.status(folder));
    }

    /// NODE@ADDRESS of a node that runs.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn member(&self, folder: &str) -> String {
        let status = self.status(folder);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        format!(
            "{}@{}",
            text(&status["node"]),
            text(&status["announces"][0])
        )
    }

    /// A ticket of the authority in the folder `authority`.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn ticket(&self, more: &[&str]) -> String {
        let invite = ["community", "invite", "--dir", "authority"];
        let ran = self.done(&[&invite, more].concat());
        ran.out.trim().to_owned()
    }

    /// Founds a community that tells nothing of crowds smaller than this, with this vocabulary and C = 3; in the folder `0` somebody who may
    /// ask, in `1` and so on a person for each file, which goes into this table. Gives the names of these people. Nobody runs
    /// in the end.
    ///
    /// # Panics
    ///
    /// When anything fails.
    pub fn gather(
        &mut self,
        crowd: u64,
        words: &str,
        table: &str,
        people: &[String],
    ) -> Vec<String> {
        let folder = self.place.path("");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).expect("a file");
        };
        write("words.toml", words);
        // No smaller community keeps a secret.
        let size = (people.len() + 1).max(13).to_string();
        let create = ["community", "create", "Town", "--dir", "authority"];
        let sized = ["--nodes", &size, "--vocabulary", "words.toml"];
        let crowd = crowd.to_string();
        let limits = ["--colluders", "3", "--min-crowd", &crowd];
        self.done(&[&create[..], &sized, &limits].concat());
        let amend = ["community", "amend", "--dir", "authority"];
        let often = ["--draws", "2000/1h", "--padding", "0"];
        self.done(&[&amend[..], &often].concat());
        self.first();
        let founder = self.member("0");
        let uses = people.len().max(1).to_string();
        let ticket = self.ticket(&["--uses", &uses, "--member", &founder]);
        let mut names = Vec::new();
        for (place, file) in people.iter().enumerate() {
            let folder = (place + 1).to_string();
            let joined = self.json(&["community", "join", &ticket, "--dir", &folder]);
            names.push(joined["node"].as_str().expect("a name").to_owned());
            write("own.csv", file);
            let import = ["data", "import", "own.csv", "--table", table];
            self.done(&[&import[..], &["--dir", &folder]].concat());
        }
        self.down("0");
        names
    }

    /// Lets somebody who may ask in, by files, as the node in the folder `0`, which runs and lets others in.
    ///
    /// # Panics
    ///
    /// When anything fails.
    pub fn first(&mut self) {
        let first = self.ticket(&["--rights", "ask"]);
        let join = ["community", "join", &first, "--offline", "request"];
        self.done(&[&join[..], &["--dir", "0"]].concat());
        let certify = ["community", "certify", "request", "--out", "answer"];
        self.done(&[&certify[..], &["--dir", "authority"]].concat());
        self.done(&["community", "install", "answer", "--dir", "0"]);
        self.up("0", &["--enrol", "authority"]);
    }

    /// Founds a community of so many in the folder `authority`, with nodes in the folders `0`, `1` and so on that run; the
    /// first lets the others in, and is the only one that they are told of.
    ///
    /// # Panics
    ///
    /// When anything fails.
    pub fn found(&mut self, nodes: usize) {
        self.found_with(nodes, &[]);
    }

    /// The same, with more said to `community create`.
    ///
    /// # Panics
    ///
    /// When anything fails.
    pub fn found_with(&mut self, nodes: usize, more: &[&str]) {
        let size = nodes.to_string();
        let create = ["community", "create", "Gardeners", "--dir", "authority"];
        let sized = ["--nodes", &size, "--colluders", "1", "--min-crowd", "2"];
        self.done(&[&create[..], &sized, more].concat());
        self.first();
        let founder = self.member("0");
        let uses = (nodes - 1).to_string();
        let ticket = self.ticket(&["--uses", &uses, "--member", &founder]);
        for folder in 1..nodes {
            let folder = folder.to_string();
            self.done(&["community", "join", &ticket, "--dir", &folder]);
            self.up(&folder, &[]);
        }
    }
}

impl Drop for Village {
    fn drop(&mut self) {
        let up = std::mem::take(&mut self.up);
        let down = |folder| self.run(&["down", "--dir", folder]);
        // Each takes a moment to say farewell: all at once.
        let ended: Vec<_> = std::thread::scope(|scope| {
            let downs: Vec<_> = up.iter().map(|up| scope.spawn(|| down(up))).collect();
            downs
                .into_iter()
                .filter_map(|down| down.join().ok())
                .collect()
        });
        if !std::thread::panicking() {
            assert!(ended.iter().all(|down| down.code == Some(0)), "{ended:?}");
        }
    }
}
