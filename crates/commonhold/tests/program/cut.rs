//! Commands that are killed at moments that nobody chose: the vault opens, and what was begun is done or not.
//!
//! Each run has a generator of its own; what fails says at which moment. `CUT_MOMENTS` says how many moments there are for
//! each command, 20 by default; the ignored test does 500.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Village, said};

const PEOPLE: &str = "person,hours\nada,7\n";
/// Places in the file that is imported: enough for an import to last longer than its beginning.
const PLACES: usize = 2000;

struct Bench {
    village: Village,
    words: PathBuf,
    track: PathBuf,
    state: u64,
}

impl Bench {
    fn new(seed: u64) -> Self {
        let village = Village::found(PEOPLE);
        let beside = |name: &str| village.home(0).with_file_name(name);
        let (words, track) = (beside("words"), beside("track.gpx"));
        let shown = village.json(1, &["key", "show", "--words"]);
        let list = shown["words"].as_array().expect("a list").iter();
        let list: Vec<_> = list.map(|word| word.as_str().expect("a word")).collect();
        fs::write(&words, list.join(" ")).expect("written");
        let mut text = String::from("<gpx creator=\"x\"><trk><trkseg>");
        for place in 0..PLACES {
            let (minute, second) = (place / 60 % 60, place % 60);
            let hour = place / 3600;
            text.push_str(&format!(
                "<trkpt lat=\"{}\" lon=\"2\"><time>2020-01-01T{hour:02}:{minute:02}:{second:02}Z</time></trkpt>",
                1.0 + place as f64 / 1000.0
            ));
        }
        text.push_str("</trkseg></trk></gpx>");
        fs::write(&track, text).expect("written");
        Self {
            village,
            words,
            track,
            state: seed,
        }
    }

    /// Numbers that look random, always the same (Marsaglia's xorshift).
    fn random(&mut self) -> f64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as f64 / (1u64 << 53) as f64
    }

    fn start(&self, folder: &Path, arguments: &[&str]) -> Child {
        let mut command: Command = self.village.command(arguments);
        command.arg("--dir").arg(folder);
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("it starts")
    }

    /// How long the command takes when nobody kills it.
    #[expect(clippy::disallowed_methods, reason = "a process takes real time")]
    fn whole(&self, folder: &Path, arguments: &[&str]) -> Duration {
        let began = Instant::now();
        let ended = self.start(folder, arguments).wait().expect("it ends");
        assert!(ended.success(), "{arguments:?}");
        began.elapsed()
    }

    /// Kills the command at some moment of that time. Whether it had ended by itself.
    fn killed(&mut self, folder: &Path, arguments: &[&str], within: Duration) -> bool {
        let mut process = self.start(folder, arguments);
        sleep(within.mul_f64(self.random()));
        // SIGKILL.
        drop(process.kill());
        process.wait().expect("it is over").success()
    }

    /// The rows of each table, which opens the vault and reads it.
    fn tables(&self, folder: &Path, when: &str) -> Vec<(String, u64)> {
        let mut command = self.village.command(&["data", "list", "--json", "--dir"]);
        let output = command.arg(folder).output().expect("it runs");
        assert!(output.status.success(), "{when}: {}", said(&output));
        let listed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let tables = listed["tables"].as_array().expect("a list").iter();
        let row = |table: &Value| {
            let name = table["table"].as_str().expect("a name").to_owned();
            (name, table["rows"].as_u64().expect("a number"))
        };
        // A table that was filled once stays, empty.
        tables.map(row).filter(|(_, rows)| *rows > 0).collect()
    }
}

fn moments() -> usize {
    let set = std::env::var("CUT_MOMENTS").ok();
    set.and_then(|number| number.parse().ok()).unwrap_or(20)
}

fn rotate(moments: usize) {
    let mut bench = Bench::new(0x9e37_79b9_7f4a_7c15);
    let home = bench.village.home(1);
    let track = bench.track.clone();
    bench.whole(&home, &["data", "import", track.to_str().expect("a path")]);
    let before = bench.tables(&home, "at first");
    let within = bench.whole(&home, &["key", "rotate"]);
    let mut done = 0;
    for moment in 0..moments {
        done += usize::from(bench.killed(&home, &["key", "rotate"], within));
        let when = format!("rotate, moment {moment}");
        assert_eq!(bench.tables(&home, &when), before, "{when}");
        // The words of now are those of the vault.
        let shown = bench.village.json(1, &["key", "show", "--words"]);
        assert_eq!(shown["words"].as_array().map(Vec::len), Some(24), "{when}");
    }
    // Nothing piles up.
    let keys = fs::read_to_string(home.join("vault.key")).expect("read");
    assert_eq!(keys.lines().count(), 1);
    bench.whole(&home, &["key", "rotate"]);
    assert!(
        done < moments,
        "every rotation had ended before it was killed"
    );
}

fn restore(moments: usize) {
    let mut bench = Bench::new(0x2545_f491_4f6c_dd1d);
    let home = bench.village.home(1);
    let backup = home.with_file_name("backup");
    let backup = backup.to_str().expect("a path").to_owned();
    let words = bench.words.to_str().expect("a path").to_owned();
    bench.whole(&home, &["backup", "create", &backup]);
    let before = bench.tables(&home, "at first");
    let restore = ["backup", "restore", &backup, "--words-file", &words];
    let within = bench.whole(&home.with_file_name("whole"), &restore);
    let mut there = 0;
    for moment in 0..moments {
        let folder = home.with_file_name(format!("restored-{moment}"));
        bench.killed(&folder, &restore, within);
        let when = format!("restore, moment {moment}");
        match folder.join("keys.cbor").exists() {
            true => there += 1,
            // As if nothing had been done, and it can be done again.
            false => drop(bench.whole(&folder, &restore)),
        }
        assert_eq!(bench.tables(&folder, &when), before, "{when}");
        fs::remove_dir_all(&folder).expect("removed");
    }
    assert!(
        there < moments,
        "every restore had ended before it was killed"
    );
}

fn import_and_undo(moments: usize) {
    let mut bench = Bench::new(0x1234_5678_9abc_def1);
    let home = bench.village.home(1);
    let track = bench.track.to_str().expect("a path").to_owned();
    let import = ["data", "import", &track];
    let before = bench.tables(&home, "at first");
    let importing = bench.whole(&home, &import);
    let after = bench.tables(&home, "imported");
    assert_ne!(before, after);
    let undoing = bench.whole(&home, &["data", "undo", "1"]);
    assert_eq!(bench.tables(&home, "undone"), before);
    for moment in 0..moments {
        let when = format!("import and undo, moment {moment}");
        let now = bench.tables(&home, &when);
        let undoes = now == after;
        match undoes {
            true => {
                let sources = bench.village.json(1, &["data", "sources"]);
                let last = sources["imports"].as_array().expect("a list").iter();
                let last = last.filter_map(|import| import["import"].as_i64()).max();
                let last = last.expect("there is one").to_string();
                bench.killed(&home, &["data", "undo", &last], undoing);
            }
            false => drop(bench.killed(&home, &import, importing)),
        }
        let now = bench.tables(&home, &when);
        assert!(now == before || now == after, "{when}: half of it: {now:?}");
    }
}

#[test]
fn a_rotation_that_is_killed_leaves_a_vault_that_opens() {
    rotate(moments());
}

#[test]
fn a_restore_that_is_killed_leaves_a_node_or_none() {
    restore(moments());
}

#[test]
fn no_import_and_no_undo_is_half_done() {
    import_and_undo(moments());
}

#[test]
#[ignore = "takes two minutes"]
fn at_five_hundred_moments_each() {
    rotate(500);
    restore(500);
    import_and_undo(500);
}
