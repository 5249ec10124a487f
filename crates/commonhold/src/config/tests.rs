use super::*;

fn environment(variables: &[(&str, &str)]) -> Environment {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Environment(variables.iter().map(own).collect())
}

fn nothing() -> Environment {
    environment(&[])
}

fn file(text: &str) -> (tempfile::TempDir, Typed) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    fs::write(&path, text).expect("written");
    let typed = Typed {
        config: Some(path),
        folder: Some(folder.path().into()),
    };
    (folder, typed)
}

fn config(text: &str) -> Result<Config, ConfigError> {
    let (_folder, typed) = file(text);
    Values::gather(&typed, &nothing())?.config()
}

#[test]
fn defaults_are_values() {
    let config = config("").expect("all defaults hold");
    assert_eq!(config.listen, "0.0.0.0:14766".parse().expect("an address"));
    assert_eq!((config.rule, config.peers), (ConsentRule::Ask, vec![]));
}

#[test]
fn the_template_sets_nothing_and_each_of_its_lines_can() {
    let values = |text: &str| {
        config(text).map(|config| Config {
            file: PathBuf::new(),
            folder: PathBuf::new(),
            ..config
        })
    };
    let template = template();
    assert_eq!(values(&template), values(""));
    let set: Vec<_> = template
        .lines()
        .map(|line| line.trim_start_matches('#'))
        .collect();
    let set: Vec<_> = set
        .into_iter()
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!(
        set.iter().filter(|line| line.contains(" = ")).count(),
        KEYS.len()
    );
    assert_eq!(values(&set.join("\n")), values(""));
}

#[test]
fn what_is_shown_is_a_configuration_of_the_same_values() {
    let node = "ab".repeat(32);
    let text = format!(
        "listen = \"127.0.0.1:0\"\npeers = [\"{node}@192.0.2.1:7\"]\nlog_mib_max = 3\nlog_level = \"debug\"\n"
    );
    let (_folder, typed) = file(&text);
    let values = Values::gather(&typed, &nothing()).expect("gathered");
    let first = values.config().expect("holds");
    assert_eq!((first.peers.len(), first.log_mib_max), (1, 3));
    assert_eq!(
        config(&values.shown()).map(|again| Config {
            file: first.file.clone(),
            folder: first.folder.clone(),
            ..again
        }),
        Ok(first)
    );
}

#[test]
fn the_environment_goes_before_the_file_and_flags_before_both() {
    let (_folder, typed) = file("folder = \"/a\"\nrule = \"no\"\ncollect_secs = 5\n");
    let environment = environment(&[
        ("COMMONHOLD_FOLDER", "/b"),
        ("COMMONHOLD_RULE", "yes"),
        ("COMMONHOLD_ANNOUNCE", "192.0.2.1:7, [2001:db8::1]:8"),
    ]);
    let config = Values::gather(&typed, &environment)
        .expect("gathered")
        .config()
        .expect("holds");
    assert_eq!((config.rule, config.collect_secs), (ConsentRule::Yes, 5));
    assert_eq!(config.announce.len(), 2);
    assert_eq!(Some(config.folder), typed.folder);
    let typed = Typed {
        folder: None,
        ..typed
    };
    let config = Values::gather(&typed, &environment)
        .expect("gathered")
        .config()
        .expect("holds");
    assert_eq!(config.folder, Path::new("/b"));
}

#[test]
fn a_key_that_is_none_is_refused_with_the_one_meant() {
    let said = |text| config(text).expect_err("refused").to_string();
    assert!(said("lisen = \"x\"").ends_with("did you mean listen?"));
    assert!(said("log_levels = \"x\"").ends_with("did you mean log_level?"));
    assert!(said("zzz = 1").contains("config show"));
    assert!(said("a = [").contains("is not TOML"));
    let (_folder, typed) = file("");
    let said = |name| {
        let set = environment(&[(name, "secret")]);
        let why = Values::gather(&typed, &set).expect_err("refused");
        why.to_string()
    };
    assert_eq!(
        said("COMMONHOLD_LISTNE"),
        "the environment sets \"COMMONHOLD_LISTNE\", which is no key; did you mean COMMONHOLD_LISTEN?"
    );
    assert!(said("COMMONHOLD_KEY_PASSPRASE").ends_with("did you mean COMMONHOLD_KEY_PASSPHRASE?"));
}

#[test]
fn a_value_that_cannot_be_is_refused_with_one_that_can() {
    for (text, expected) in [
        ("listen = \"here\"", "an address with a port"),
        ("listen = 7", "an address with a port"),
        ("api = \"0.0.0.0:0\"", "a loopback address"),
        ("rule = \"maybe\"", "yes, no or ask"),
        ("collect_secs = 0", "from 1 to 3600"),
        ("collect_secs = \"soon\"", "from 1 to 3600"),
        ("connections_max = -1", "from 8 to 65536"),
        ("peers = [\"x@y\"]", "NODE@ADDRESS"),
        ("peers = [1]", "NODE@ADDRESS"),
        ("log_level = \"loud\"", "error, warn, info or debug"),
    ] {
        let said = config(text).expect_err(text).to_string();
        assert!(
            said.contains(expected) && said.contains("config.toml"),
            "{text}: {said}"
        );
    }
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let typed = Typed {
        config: Some("/nowhere/config.toml".into()),
        folder: None,
    };
    let why = Values::gather(&typed, &nothing()).expect_err("not there");
    assert!(matches!(why, ConfigError::Unreadable { .. }));
}

#[test]
fn the_page_says_what_the_program_does() {
    let page = include_str!("../../../../docs/daemon.md");
    for key in &KEYS {
        let line = format!(
            "| `{}` | `{}` | {} |",
            key.name,
            key.default,
            key.about.replace('|', "\\|")
        );
        assert!(
            page.contains(&line),
            "docs/daemon.md lacks this line:\n{line}"
        );
    }
}
