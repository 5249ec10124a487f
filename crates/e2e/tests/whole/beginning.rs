//! Somebody new types the first command.

use std::thread::sleep;
use std::time::Duration;

use e2e::{Api, Place, Village};
use serde_json::{Value, json};

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

/// What a script says to a node, and the status that it replies with.
fn call(village: &Village, folder: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let api = Api::of(&village.place.path(folder));
    let body = Some(body).filter(|body| !body.is_null());
    api.call(method, path, body).expect("it runs")
}

#[test]
fn a_vault_that_was_begun_is_joined_with_by_a_script_or_in_a_terminal() {
    let mut village = Village::new(Place::new());
    village.found(3);
    let founder = village.member("0");
    let ticket = village.ticket(&["--uses", "2", "--member", &founder]);
    for folder in ["script", "terminal"] {
        let opened = village.done(&["open", "--print", "--dir", folder]);
        assert!(opened.out.contains("/#code="), "{opened:?}");
        // Whatever stops it, it goes on as it was.
        village.done(&["down", "--dir", folder]);
        village.up(folder, &[]);
        let (code, refused) = call(&village, folder, "GET", "/v1/questions", &Value::Null);
        assert_eq!((code, &refused["code"]), (409, &"not_member".into()));
        let name = json!({ "name": folder, "words_kept": true });
        let (code, begun) = call(&village, folder, "PUT", "/v1/beginning", &name);
        assert_eq!((code, &begun["member"]), (200, &false.into()), "{begun}");
        let nobody = village.run(&["status", "--dir", folder]);
        assert_eq!(nobody.code, Some(4), "{nobody:?}");
        let not_over = village.run(&["backup", "restore", "nothing", "--dir", folder]);
        assert_eq!(not_over.code, Some(4), "{not_over:?}");
        let opener = json!({ "words": "abandon" });
        let restore = "/v1/beginning/restore";
        let (code, said) = call(&village, folder, "POST", restore, &opener);
        assert_eq!(
            (code, &said["code"]),
            (409, &"late".into()),
            "none was brought"
        );
        let words = village.json(&["key", "show", "--words", "--dir", folder])["words"].clone();
        let token = std::fs::read(village.place.path(folder).join("api.token")).expect("a token");

        if folder == "script" {
            let wrong = json!({ "ticket": "chticket1" });
            let (code, said) = call(&village, folder, "POST", "/v1/beginning/join", &wrong);
            assert_eq!((code, &said["code"]), (422, &"refused".into()), "{said}");
            let right = json!({ "ticket": ticket });
            let (code, said) = call(&village, folder, "POST", "/v1/beginning/join", &right);
            assert_eq!(
                (code, &said["community"]),
                (201, &"Gardeners".into()),
                "{said}"
            );
            let (code, said) = call(&village, folder, "POST", "/v1/beginning/join", &right);
            assert_eq!((code, &said["code"]), (409, &"late".into()), "{said}");
        } else {
            village.done(&["community", "join", &ticket, "--dir", folder]);
        }
        for _ in 0..200 {
            if village.run(&["status", "--dir", folder]).code == Some(0) {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        village.waits(folder, 60, |status| {
            status["peers_known"].as_u64() >= Some(3)
        });
        let (_, now) = call(&village, folder, "GET", "/v1/beginning", &Value::Null);
        let done = (&now["member"], &now["name"], &now["words_kept"]);
        assert_eq!(done, (&true.into(), &folder.into(), &true.into()));
        // Nobody's backup takes a node's place.
        for (method, path) in [("PUT", "/v1/beginning/backup"), ("POST", restore)] {
            let (code, said) = call(&village, folder, method, path, &opener);
            assert_eq!((code, &said["code"]), (409, &"late".into()), "{said}");
        }
        // The same vault, under the same token.
        let same = village.json(&["key", "show", "--words", "--dir", folder])["words"].clone();
        assert_eq!(same, words);
        let kept = std::fs::read(village.place.path(folder).join("api.token")).expect("a token");
        assert_eq!(kept, token);
        village.down(folder);
        village.up(folder, &[]);
        assert!(village.status(folder)["node"].is_string());
    }
}
