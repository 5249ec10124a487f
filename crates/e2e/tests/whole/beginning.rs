//! Somebody new types the first command.

use e2e::{Place, Village};
use serde_json::Value;

#[test]
fn who_begins_is_told_what_comes_next() {
    let village = Village::new(Place::new());
    let file = village.place.path("config/commonhold/config.toml");
    let first = village.done(&["init"]);
    assert!(first.out.contains("Wrote "), "{first:?}");
    assert!(
        first.out.contains("commonhold community join TICKET"),
        "{first:?}"
    );
    assert!(first.out.contains("commonhold key rotate"), "{first:?}");
    village.done(&["config", "check"]);

    // Nothing that is there is changed.
    let own = "log_level = \"warn\"\n";
    std::fs::write(&file, own).expect("a file");
    let again = village.json(&["init"]);
    assert_eq!(again["config_written"], false, "{again}");
    assert_eq!(again["node"], Value::Null);
    assert_eq!(again["key_kept_by"], Value::Null);
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), own);
    std::fs::write(&file, "log_levle = \"warn\"\n").expect("a file");
    let wrong = village.run(&["init"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("log_level"), "{wrong:?}");
    std::fs::write(&file, own).expect("a file");

    // A member is told something else.
    village.done(&["community", "create", "Gardeners", "--dir", "authority"]);
    let ticket = village.ticket(&[]);
    village.done(&["community", "join", &ticket, "--offline", "request"]);
    let certify = ["community", "certify", "request", "--out", "answer"];
    village.done(&[&certify[..], &["--dir", "authority"]].concat());
    village.done(&["community", "install", "answer"]);
    let member = village.json(&["init"]);
    assert!(member["node"].is_string(), "{member}");
    assert_eq!(member["key_kept_by"], "file", "{member}");
    let told = village.done(&["init"]);
    assert!(told.out.contains("as safe as your account"), "{told:?}");
    assert_eq!(member["next"][1], "commonhold up --detach", "{member}");
}
