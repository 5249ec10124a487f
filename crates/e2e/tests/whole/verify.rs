//! Proof files, checked as anyone would.

use std::fs;

use e2e::Place;

#[test]
fn a_proof_is_checked_offline_and_every_doubt_is_named() {
    let place = Place::new();
    assert_eq!(place.run(&["demo"]).code, Some(0));
    let proof = "commonhold-demo/proof.cbor";
    let verify = |file: &str| place.run(&["question", "verify", file]);

    let holds = verify(proof);
    assert_eq!(holds.code, Some(0), "{holds:?}");
    assert!(holds.out.starts_with("The proof holds"));
    assert!(
        holds
            .out
            .contains("nobody but the signers vouches for the time")
    );
    let json = place.run(&["question", "verify", proof, "--json"]).json();
    assert_eq!(json["holds"], true);
    assert_eq!(
        json["question"],
        r#"SELECT AVG("sleep_hours") FROM "nhanes_2017_2018""#
    );

    // Changed.
    let bytes = fs::read(place.path(proof)).unwrap();
    let mut changed = bytes.clone();
    changed[bytes.len() / 2] ^= 1;
    fs::write(place.path("commonhold-demo/changed.cbor"), &changed).unwrap();
    let refused = verify("commonhold-demo/changed.cbor");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("check failed: "), "{}", refused.err);
    assert!(refused.out.is_empty());
    let json = place.run(&[
        "question",
        "verify",
        "commonhold-demo/changed.cbor",
        "--json",
    ]);
    assert_eq!((json.code, &json.json()["holds"]), (Some(1), &false.into()));

    // No descriptor beside it, or another community's.
    fs::copy(place.path(proof), place.path("alone.cbor")).unwrap();
    let refused = verify("alone.cbor");
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("--descriptor FILE"), "{}", refused.err);
    let own = "commonhold-demo/descriptor.cbor";
    fs::copy(place.path(own), place.path("first.cbor")).unwrap();
    let arguments = [
        "question",
        "verify",
        "alone.cbor",
        "--descriptor",
        "first.cbor",
    ];
    assert_eq!(place.run(&arguments).code, Some(0));
    assert_eq!(place.run(&["demo"]).code, Some(0));
    let arguments = ["question", "verify", "alone.cbor", "--descriptor", own];
    let refused = place.run(&arguments);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("check failed: "), "{}", refused.err);

    // No proof at all.
    fs::write(place.path("commonhold-demo/text.cbor"), "hello").unwrap();
    for file in [
        "commonhold-demo/text.cbor",
        "commonhold-demo",
        "nowhere.cbor",
    ] {
        let refused = verify(file);
        assert_eq!(refused.code, Some(1), "{file}: {refused:?}");
        assert!(refused.err.starts_with("error: "));
    }
}
