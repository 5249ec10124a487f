//! The key of the vault and backups, by the commands.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::common::{Home, Village, eventually, said, system_rng};

const PEOPLE: &str = "person,hours\nada,7\nbob,8\n";

/// A file of this test's own.
fn file(village: &Village, name: &str, content: &str) -> String {
    let path = village.home(0).with_file_name(name);
    fs::write(&path, content).expect("written");
    path.to_str().expect("a path of the test").to_owned()
}

fn words(village: &Village, place: usize) -> String {
    let shown = village.json(place, &["key", "show", "--words"]);
    let words = shown["words"].as_array().expect("a list").iter();
    let words: Vec<_> = words.map(|word| word.as_str().expect("a word")).collect();
    assert_eq!(words.len(), 24);
    words.join(" ")
}

/// What a command printed about a folder of its own.
fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {output:?}"))
}

/// A command failed in one line that says this.
fn refused(output: &Output, code: i32, what: &str) {
    let text = said(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(what), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    for inner in ["database", "sqlite", "panicked", "Error {"] {
        assert!(!text.to_lowercase().contains(inner), "{text}");
    }
}

fn rows(village: &Village, place: usize) -> Value {
    village.json(place, &["data", "show", "people"])["csv"].take()
}

#[test]
fn without_a_word_the_key_is_in_a_file_and_the_owner_is_told() {
    let village = Village::found(PEOPLE);
    let shown = village.json(1, &["key", "show"]);
    assert_eq!(shown["kept_by"], "file");
    assert_eq!(shown["words"], Value::Null);
    assert_eq!(shown["node"], village.nodes[1].to_string());
    let path = village.home(1).join("vault.key");
    assert_eq!(shown["where"], format!("the file {}", path.display()));
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = village.run(1, &["key", "show"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("as safe as your account"), "{text}");
    assert!(text.contains("key show --words"), "{text}");
    // Each has its own, and the same each time.
    assert_eq!(words(&village, 1), words(&village, 1));
    assert_ne!(words(&village, 1), words(&village, 2));
}

#[test]
fn a_new_key_is_another_one_for_the_same_vault() {
    let village = Village::found(PEOPLE);
    let (before, old) = (rows(&village, 1), words(&village, 1));
    let rotated = village.json(1, &["key", "rotate"]);
    assert_eq!(rotated["kept_by"], "file");
    assert_ne!(words(&village, 1), old);
    assert_eq!(rows(&village, 1), before);
    let old = file(&village, "old-words", &old);
    let recover = village.run(1, &["key", "recover", "--words-file", &old]);
    refused(&recover, 4, "another vault");
    assert_eq!(rows(&village, 1), before);
    // Not while the node runs.
    let mut running = village.up(1, &[]);
    refused(&village.run(1, &["key", "rotate"]), 1, "commonhold down");
    assert_eq!(village.run(1, &["down"]).status.code(), Some(0));
    running.end();
    // To another place, and back.
    let stick = village.home(0).with_file_name("stick");
    let stick = stick.to_str().expect("a path");
    village.json(1, &["key", "rotate", "--key-file", stick]);
    assert!(!village.home(1).join("vault.key").exists());
    assert_eq!(rows(&village, 1), before);
    fs::rename(stick, format!("{stick}.away")).expect("moved");
    refused(&village.run(1, &["data", "list"]), 1, "key file");
    fs::rename(format!("{stick}.away"), stick).expect("moved");
    // A text is none of these files, and what is said of it is about writing.
    let letter = file(&village, "letter", "dear\n");
    let rotate = village.run(1, &["key", "rotate", "--key-file", &letter]);
    refused(&rotate, 1, "name a new file");
    assert_eq!(fs::read(&letter).expect("there"), b"dear\n");
    village.json(1, &["key", "rotate", "--key-file"]);
    assert!(!Path::new(stick).exists());
    assert_eq!(rows(&village, 1), before);
}

#[test]
fn a_passphrase_is_wanted_and_a_wrong_one_is_said_to_be_wrong() {
    let village = Village::found(PEOPLE);
    let before = rows(&village, 1);
    let right = file(&village, "right", "correct horse battery\n");
    let wrong = file(&village, "wrong", "wrong horse battery\n");
    let short = file(&village, "short", "horse\n");
    let rotate = ["key", "rotate", "--new-passphrase-file"];
    refused(
        &village.run(1, &[&rotate[..], &[&short]].concat()),
        2,
        "too short",
    );
    let rotated = village.json(1, &[&rotate[..], &[&right]].concat());
    assert_eq!(rotated["kept_by"], "passphrase");
    assert!(!village.home(1).join("vault.key").exists());

    let descriptor = village.home(2).join("descriptor.cbor");
    let descriptor = descriptor.to_str().expect("a path of the test");
    let install = ["community", "install", descriptor];
    let replay = ["simulate", "replay", &short];
    for command in [
        &["data", "list"][..],
        &["key", "show", "--words"],
        &["up"],
        &install,
        &replay,
    ] {
        refused(
            &village.run(1, command),
            if ["key", "data"].contains(&command[0]) {
                2
            } else {
                1
            },
            "--key-passphrase-file",
        );
        let with = |file| [command, &["--key-passphrase-file", file]].concat();
        refused(&village.run(1, &with(&wrong)), 1, "wrong passphrase");
    }
    let with = |command: &[&str]| {
        let mut command = command.to_vec();
        command.extend(["--key-passphrase-file", &right]);
        command
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let run = |command: &[&str]| {
        let command = with(command);
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        village.run(1, &command)
    };
    assert_eq!(
        json(&run(&["data", "show", "people", "--json"]))["csv"],
        before
    );
    let installed = run(&install);
    assert_eq!(installed.status.code(), Some(0), "{}", said(&installed));
    refused(&run(&replay), 1, "no recording");
    // What needs no secret asks for none.
    assert_eq!(village.json(1, &["key", "show"])["kept_by"], "passphrase");
    let init = village.json(1, &["init"]);
    assert_eq!(init["key_kept_by"], "passphrase", "{init}");
    assert_eq!(village.run(1, &["status"]).status.code(), Some(3));
    // A node that runs apart is handed the passphrase.
    let up = village.run(1, &["up", "--detach", "--key-passphrase-file", &wrong]);
    refused(&up, 1, "wrong passphrase");
    let up = run(&["up", "--detach"]);
    assert_eq!(up.status.code(), Some(0), "{}", said(&up));
    assert_eq!(village.run(1, &["down"]).status.code(), Some(0));
    // Rotated again it stays a passphrase, the same one.
    let again = run(&["key", "rotate", "--json"]);
    assert_eq!(json(&again)["kept_by"], "passphrase", "{again:?}");
    assert_eq!(
        json(&run(&["data", "show", "people", "--json"]))["csv"],
        before
    );
}

#[test]
fn the_words_let_in_when_everything_else_is_lost() {
    let village = Village::found(PEOPLE);
    let (before, known) = (rows(&village, 1), words(&village, 1));
    let good = file(
        &village,
        "words",
        &format!("{}\n", known.replace(' ', "\n")),
    );
    let recover =
        |words: &str| village.run(1, &["key", "recover", "--words-file", words, "--json"]);
    fs::remove_file(village.home(1).join("vault.key")).expect("removed");
    refused(&village.run(1, &["data", "list"]), 1, "key recover");

    let mut swapped: Vec<_> = known.split(' ').collect();
    swapped.swap(0, 1);
    for (bad, what) in [
        ("abandon ability", "these are 2"),
        (&known.replacen(swapped[0], "misspelt", 1), "spelling"),
        (&swapped.join(" "), "belong together"),
    ] {
        refused(
            &village.run(
                1,
                &[
                    "key",
                    "recover",
                    "--words-file",
                    &file(&village, "bad", bad),
                ],
            ),
            2,
            what,
        );
    }
    let others = file(&village, "others", &words(&village, 2));
    refused(
        &village.run(1, &["key", "recover", "--words-file", &others]),
        4,
        "another vault",
    );

    assert_eq!(json(&recover(&good))["kept_by"], "file");
    assert_eq!(rows(&village, 1), before);
    assert_eq!(words(&village, 1), known);
    // As they were shown, with what is said above them.
    let shown = village.run(1, &["key", "show", "--words"]).stdout;
    let shown = file(&village, "shown", &String::from_utf8_lossy(&shown));
    assert_eq!(json(&recover(&shown))["kept_by"], "file");
    // The vault gone, or empty: what is said can be done.
    let vault = village.home(1).join("vault.db");
    fs::copy(&vault, vault.with_extension("away")).expect("copied");
    fs::write(&vault, b"").expect("emptied");
    refused(
        &village.run(1, &["data", "list"]),
        1,
        "move its folder away",
    );
    fs::remove_file(&vault).expect("removed");
    refused(
        &village.run(1, &["data", "list"]),
        1,
        "move its folder away",
    );
    fs::rename(vault.with_extension("away"), &vault).expect("moved");
    assert_eq!(rows(&village, 1), before);
    // The file of keys as well, damaged or gone: the vault knows whose it is. Nobody is made anew in its place.
    for lose in [
        |path: &Path| fs::write(path, "not keys").expect("written"),
        |path: &Path| fs::remove_file(path).expect("removed"),
    ] {
        lose(&village.home(1).join("keys.cbor"));
        for command in [&["up"][..], &["data", "list"], &["doctor"]] {
            let output = village.run(1, command);
            assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        }
        refused(&village.run(1, &["data", "list"]), 1, "24 recovery words");
        assert_eq!(json(&recover(&good))["node"], village.nodes[1].to_string());
        assert_eq!(rows(&village, 1), before);
    }
    let passphrase = file(&village, "passphrase", "correct horse battery");
    let output = village.run(
        1,
        &[
            "key",
            "recover",
            "--words-file",
            &good,
            "--new-passphrase-file",
            &passphrase,
            "--json",
        ],
    );
    assert_eq!(json(&output)["kept_by"], "passphrase");
    let shown = village.json(
        1,
        &[
            "data",
            "show",
            "people",
            "--key-passphrase-file",
            &passphrase,
        ],
    );
    assert_eq!(shown["csv"], before);
}

/// A place for the keys of nodes outside their folders.
fn stick(village: &Village) -> PathBuf {
    let stick = village.home(0).with_file_name("stick");
    fs::create_dir(&stick).expect("made");
    stick
}

fn rotate_to(village: &Village, place: usize, path: &Path) -> Output {
    let path = path.to_str().expect("a path of the test");
    village.run(place, &["key", "rotate", "--key-file", path])
}

#[test]
fn a_wipe_takes_the_key_where_its_owner_had_it_kept() {
    let village = Village::found(PEOPLE);
    let stick = stick(&village);
    let wipe = |place: usize| {
        let wiped = village.run(place, &["leave", "--wipe", "--yes"]);
        let text = String::from_utf8_lossy(&wiped.stdout).into_owned();
        (wiped.status.code(), text)
    };
    // Two nodes share a file, and a killed process has left something beside it.
    let shared = stick.join("shared");
    for place in [0, 1] {
        assert!(rotate_to(&village, place, &shared).status.success());
    }
    let both = fs::read_to_string(&shared).expect("there");
    let second_name = stick.join("the same bytes");
    fs::hard_link(&shared, &second_name).expect("linked");
    let left = stick.join("shared.123.new");
    fs::write(&left, &both).expect("written");
    let letter = stick.join("shared.124.new");
    fs::write(&letter, "Dear Ada,").expect("written");
    let (code, text) = wipe(1);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&shared.display().to_string()), "{text}");
    let rest = fs::read_to_string(&shared).expect("there");
    assert!(rest.len() == 65 && both.contains(&rest), "one key is left");
    let zeros = vec![0; both.len()];
    assert_eq!(fs::read(second_name).expect("there"), zeros);
    assert!(!left.exists() && letter.exists());
    assert!(village.run(0, &["data", "list"]).status.success());
    assert_eq!(wipe(0).0, Some(0));
    assert!(!shared.exists());
    // Where it cannot be reached, that is said.
    let away = stick.join("away");
    assert!(rotate_to(&village, 2, &away).status.success());
    fs::rename(&away, stick.join("elsewhere")).expect("moved");
    let (code, text) = wipe(2);
    assert_eq!(code, Some(5), "{text}");
    let path = away.display().to_string();
    assert!(text.contains(&path) && text.contains("delete it"), "{text}");
    assert!(!village.home(2).exists());
}

#[test]
fn what_a_killed_rotation_has_left_on_a_stick_goes_with_the_next_command() {
    let village = Village::found(PEOPLE);
    let path = stick(&village).join("k");
    let left = path.with_file_name("k.99.new");
    let leave = || {
        fs::write(&left, "0123456789abcdef").expect("written");
        let file = fs::File::options().write(true).open(&left);
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        file.and_then(|file| file.set_modified(long_ago))
            .expect("set");
    };
    // The vault does not know of the place yet; then it does.
    leave();
    assert!(rotate_to(&village, 1, &path).status.success());
    assert!(!left.exists());
    leave();
    assert!(village.run(1, &["data", "list"]).status.success());
    assert!(!left.exists());
}

#[test]
fn a_key_that_others_can_read_and_a_vault_that_is_gone_are_told() {
    let village = Village::found(PEOPLE);
    let (key, vault) = (
        village.home(1).join("vault.key"),
        village.home(1).join("vault.db"),
    );
    let told = |what: &str| {
        for command in [&["key", "show"][..], &["init"]] {
            let output = village.run(1, command);
            assert_eq!(output.status.code(), Some(0), "{command:?}");
            let text = said(&output);
            assert!(text.contains(what), "{command:?}: {text}");
            let problems = &village.json(1, command)["problems"];
            assert!(problems.to_string().contains(what), "{problems}");
        }
    };
    assert_eq!(said(&village.run(1, &["key", "show"])), "");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("set");
    told("chmod 600");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("set");
    fs::remove_file(vault).expect("removed");
    told("there is no vault");
    fs::remove_file(key).expect("removed");
    told("key file");
}

#[test]
fn what_a_restore_has_left_is_of_no_community() {
    let village = Village::found(PEOPLE);
    let backup = file(&village, "a-backup", "");
    fs::remove_file(&backup).expect("removed");
    let words = file(&village, "a-backups-words", &words(&village, 1));
    village.json(1, &["backup", "create", &backup]);
    // Damaged at its end: nothing is left, nor of the folders above.
    let mut bytes = fs::read(&backup).expect("there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let damaged = file(&village, "a-damaged-backup", "");
    fs::write(&damaged, bytes).expect("written");
    let above = elsewhere(&village, "above");
    let restore = ["backup", "restore", &damaged, "--words-file", &words];
    let output = run_in(&village, &above.join("b/c"), &restore);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(!above.exists());
    // As one that was killed leaves it.
    let folder = elsewhere(&village, "cut");
    fs::create_dir(&folder).expect("made");
    fs::copy(
        village.home(1).join("descriptor.cbor"),
        folder.join("descriptor.cbor"),
    )
    .expect("copied");
    fs::write(folder.join("vault.db.founding"), "").expect("written");
    for command in [&["init"][..], &["community", "show"]] {
        refused(&run_in(&village, &folder, command), 1, "cut short");
    }
    Home::at(&folder).begin(&mut system_rng()).expect("begun");
    assert!(!folder.join("descriptor.cbor").exists());
}

#[test]
fn a_key_goes_into_no_pipe_no_device_and_through_no_link() {
    let village = Village::found(PEOPLE);
    let stick = stick(&village);
    let (pipe, link, folder) = (stick.join("pipe"), stick.join("link"), stick.join("folder"));
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("it runs").success());
    fs::create_dir(&folder).expect("made");
    fs::write(stick.join("file"), "").expect("written");
    std::os::unix::fs::symlink(stick.join("file"), &link).expect("linked");
    let before = words(&village, 1);
    for path in [&*pipe, &link, &folder, Path::new("/dev/null")] {
        let path = path.to_str().expect("a path of the test");
        let mut command = village.command(&["key", "rotate", "--key-file", path, "--dir"]);
        command.arg(village.home(1)).stderr(Stdio::piped());
        let mut running = command.spawn().expect("it starts");
        eventually("it is refused, and waits for nobody", || {
            running.try_wait().expect("looked at").is_some()
        });
        let output = running.wait_with_output().expect("it has ended");
        refused(&output, 1, "name a new file");
    }
    assert_eq!(words(&village, 1), before);
    assert_eq!(fs::read(stick.join("file")).expect("there"), b"");
}

#[test]
fn the_desktops_keyring_keeps_it_by_its_own_tool() {
    let village = Village::found(PEOPLE);
    let before = rows(&village, 1);
    // What secret-tool does, with a file for each secret.
    let tools = village.home(0).with_file_name("tools");
    fs::create_dir(&tools).expect("made");
    let script = "#!/bin/sh\nset -eu\nkept=\"$(dirname \"$0\")/kept-$(printf '%s' \"$*\" | sed 's/.* //')\"\n\
        case \"$1\" in store) cat > \"$kept\" ;; lookup) cat \"$kept\" ;; clear) rm -f \"$kept\" ;; esac\n";
    let tool = tools.join("secret-tool");
    fs::write(&tool, script).expect("written");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("set");
    let run = |arguments: &[&str]| {
        let path = std::env::var("PATH").expect("a path");
        let mut command = village.command(arguments);
        command.arg("--dir").arg(village.home(1));
        command.env("PATH", format!("{}:{path}", tools.display()));
        command.output().expect("it runs")
    };
    let kept = || fs::read_dir(&tools).expect("listed").count() - 1;
    assert_eq!(
        json(&run(&["key", "rotate", "--keyring", "--json"]))["kept_by"],
        "keyring"
    );
    assert!(!village.home(1).join("vault.key").exists());
    assert_eq!(kept(), 1);
    assert_eq!(
        json(&run(&["data", "show", "people", "--json"]))["csv"],
        before
    );
    assert_eq!(
        json(&run(&["key", "rotate", "--json"]))["kept_by"],
        "keyring"
    );
    assert_eq!(kept(), 1, "the old key is forgotten");
    assert_eq!(
        json(&run(&["data", "show", "people", "--json"]))["csv"],
        before
    );
    // A wipe takes it out of there, and says so if it cannot.
    let wipe = |place: usize, path: &str| {
        let mut command = village.command(&["leave", "--wipe", "--yes", "--json", "--dir"]);
        command.arg(village.home(place)).env("PATH", path);
        command.output().expect("it runs")
    };
    let path = std::env::var("PATH").expect("a path");
    let path = format!("{}:{path}", tools.display());
    let mut second = village.command(&["key", "rotate", "--keyring", "--dir"]);
    second.arg(village.home(2)).env("PATH", &path);
    assert!(second.output().expect("it runs").status.success());
    assert_eq!(kept(), 2);
    let wiped = wipe(2, &path);
    assert_eq!(wiped.status.code(), Some(0), "{}", said(&wiped));
    assert_eq!(json(&wiped)["keys_elsewhere"][0]["erased"], true);
    assert_eq!(kept(), 1);
    // Where there is no such tool, or it has lost the key, that is said.
    let mut without = village.command(&["data", "list", "--dir"]);
    without.arg(village.home(1)).env("PATH", "/nowhere");
    refused(
        &without.output().expect("it runs"),
        1,
        "secret-tool is not installed",
    );
    for entry in fs::read_dir(&tools).expect("listed") {
        let path = entry.expect("an entry").path();
        if path != tool {
            fs::remove_file(path).expect("removed");
        }
    }
    refused(&run(&["data", "list"]), 1, "key recover");
    let wiped = wipe(1, "/nowhere");
    assert_eq!(wiped.status.code(), Some(5), "{}", said(&wiped));
    let elsewhere = &json(&wiped)["keys_elsewhere"][0];
    assert_eq!(
        (&elsewhere["what"], &elsewhere["erased"]),
        (&"the system's keyring".into(), &false.into())
    );
}

/// A folder beside the village's.
fn elsewhere(village: &Village, name: &str) -> PathBuf {
    village.home(0).with_file_name(name)
}

fn run_in(village: &Village, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = village.command(arguments);
    command.arg("--dir").arg(folder);
    command.output().expect("it runs")
}

#[test]
fn a_backup_of_a_running_node_is_the_same_node_elsewhere() {
    let village = Village::found(PEOPLE);
    let before = rows(&village, 1);
    let words = file(&village, "words", &words(&village, 1));
    village.json(1, &["profile", "set", "town=Paris"]);
    let backup = elsewhere(&village, "node.backup");
    let backup = backup.to_str().expect("a path");
    let passphrase = file(&village, "passphrase", "correct horse battery");
    let mut running = village.up(1, &[]);
    let rule = village.run(1, &["question", "rule", "default", "no"]);
    assert_eq!(rule.status.code(), Some(0), "{}", said(&rule));
    let made = village.json(
        1,
        &["backup", "create", backup, "--passphrase-file", &passphrase],
    );
    assert_eq!(made["node"], village.nodes[1].to_string());
    assert_eq!(village.run(1, &["down"]).status.code(), Some(0));
    running.end();
    let mode = fs::metadata(backup).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Nothing is overwritten, and nothing is left of making it.
    refused(
        &village.run(1, &["backup", "create", backup]),
        1,
        "is there already",
    );
    let left = fs::read_dir(village.home(1)).expect("listed");
    let left = left.filter(|entry| {
        let name = entry.as_ref().expect("an entry").file_name();
        name.to_string_lossy().ends_with("snapshot")
    });
    assert_eq!(left.count(), 0);

    // Here it opens by itself, elsewhere with the words or the passphrase, and with no others.
    assert_eq!(
        village.json(1, &["backup", "verify", backup])["bytes"],
        made["bytes"]
    );
    let none = elsewhere(&village, "none");
    let others = file(&village, "others", &self::words(&village, 2));
    let verify = |with: &[&str]| {
        run_in(
            &village,
            &none,
            &[&["backup", "verify", backup], with].concat(),
        )
    };
    for with in [["--words-file", &words], ["--passphrase-file", &passphrase]] {
        assert_eq!(
            verify(&with).status.code(),
            Some(0),
            "{}",
            said(&verify(&with))
        );
    }
    refused(
        &verify(&["--words-file", &others]),
        4,
        "not the recovery words",
    );
    refused(
        &verify(&["--passphrase-file", &others]),
        4,
        "wrong passphrase",
    );
    let cut = fs::read(backup).expect("read");
    let short = elsewhere(&village, "short.backup");
    fs::write(&short, &cut[..cut.len() - 1]).expect("written");
    let short = short.to_str().expect("a path");
    let verified = run_in(
        &village,
        &none,
        &["backup", "verify", short, "--words-file", &words],
    );
    refused(&verified, 1, "before its end");
    let letter = ["backup", "verify", &others, "--words-file", &words];
    refused(&run_in(&village, &none, &letter), 1, "no backup");
    refused(&run_in(&village, &none, &letter), 1, "others: this is");

    // Not where somebody lives, and not half.
    let restore = |folder: &Path, from: &str, with: &[&str]| {
        run_in(
            &village,
            folder,
            &[&["backup", "restore", from, "--json"], with].concat(),
        )
    };
    let with_words = ["--words-file", &words[..]];
    refused(
        &run_in(
            &village,
            &village.home(2),
            &["backup", "restore", backup, with_words[0], with_words[1]],
        ),
        4,
        "lives in",
    );
    let new = elsewhere(&village, "new");
    let half = restore(&new, short, &with_words);
    assert_eq!(half.status.code(), Some(1));
    assert!(!new.exists(), "nothing is left of it");
    // One that was killed is said to be that, by all commands, and can be wiped.
    fs::create_dir(&new).expect("made");
    for name in ["vault.db", "vault.db.founding", "lock"] {
        fs::write(new.join(name), b"").expect("written");
    }
    for command in [
        &["up"][..],
        &["key", "show"],
        &["data", "list"],
        &["backup", "create"],
    ] {
        refused(&run_in(&village, &new, command), 1, "was cut short");
    }
    let wiped = run_in(&village, &new, &["leave", "--wipe", "--yes"]);
    assert_eq!(wiped.status.code(), Some(0), "{}", said(&wiped));
    assert!(!new.exists());
    let restored = restore(&new, backup, &with_words);
    assert_eq!(
        json(&restored)["node"],
        village.nodes[1].to_string(),
        "{restored:?}"
    );
    let shown = run_in(&village, &new, &["data", "show", "people", "--json"]);
    assert_eq!(json(&shown)["csv"], before);
    let profile = run_in(&village, &new, &["profile", "show", "--json"]);
    assert_eq!(json(&profile)["profile"]["town"], "Paris");
    let key = run_in(&village, &new, &["key", "show", "--words", "--json"]);
    let key: Vec<_> = json(&key)["words"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|word| word.as_str().expect("a word").to_owned())
        .collect();
    assert_eq!(key.join(" "), fs::read_to_string(&words).expect("read"));
    let up = run_in(&village, &new, &["up", "--detach"]);
    assert_eq!(up.status.code(), Some(0), "{}", said(&up));
    let rules = json(&run_in(
        &village,
        &new,
        &["question", "rule", "list", "--json"],
    ));
    assert_eq!(rules["default"], "no");
    assert_eq!(run_in(&village, &new, &["down"]).status.code(), Some(0));
    // With the passphrase, and kept by another one from then on.
    let second = elsewhere(&village, "second");
    let with = [
        "--passphrase-file",
        &passphrase,
        "--new-passphrase-file",
        &passphrase,
    ];
    assert_eq!(
        json(&restore(&second, backup, &with))["kept_by"],
        "passphrase"
    );
}

/// Runs a node that is to stop by itself.
fn ends(village: &Village, folder: &Path, peers: &str) -> Output {
    let mut command = village.command(&["up", "--dir"]);
    command.arg(folder).env("COMMONHOLD_PEERS", peers);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("it starts");
    eventually("the second one stops", || {
        process.try_wait().expect("looked at").is_some()
    });
    process.wait_with_output().expect("it has ended")
}

#[test]
fn of_two_that_run_under_one_name_the_second_stops() {
    let village = Village::found(PEOPLE);
    let words = file(&village, "words", &words(&village, 1));
    let path = |name: &str| {
        elsewhere(&village, name)
            .to_str()
            .expect("a path")
            .to_owned()
    };
    // Made before it ever ran, so that it does not know where that is; others do.
    let (early, late) = (path("early.backup"), path("late.backup"));
    village.json(1, &["backup", "create", &early]);
    let _other = village.up(0, &[]);
    let listens = |place| {
        let status = village.json(place, &["status"]);
        let listens = status["listens"].as_str().expect("an address").to_owned();
        format!("{}@{listens}", village.nodes[place])
    };
    let peers = listens(0);
    let _first = village.up(1, &[("COMMONHOLD_PEERS", &peers)]);
    eventually("they know each other", || {
        village.json(0, &["status"])["peers_known"] == 1
    });
    village.json(1, &["backup", "create", &late]);
    for (name, backup, told) in [("late", &late, ""), ("early", &early, &peers[..])] {
        let folder = elsewhere(&village, name);
        let restore = ["backup", "restore", &backup[..], "--words-file", &words];
        let restored = run_in(&village, &folder, &restore);
        assert_eq!(restored.status.code(), Some(0), "{}", said(&restored));
        let second = ends(&village, &folder, told);
        assert_eq!(second.status.code(), Some(4), "{name}: {}", said(&second));
        let at = said(&second);
        assert!(
            at.contains("already") && at.contains("127.0.0.1:"),
            "{name}: {at}"
        );
        // The first one goes on.
        assert_eq!(village.run(1, &["status"]).status.code(), Some(0));
    }
}
