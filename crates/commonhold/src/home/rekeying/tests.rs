use std::fs;

use base::{Duration, Instant, encode};
use community::{Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol};
use crypto::{Rights, SigningKey};
use tempfile::TempDir;

use super::super::kept::Keys;
use super::super::protection::Secrets;
use super::super::replay::mutant;
use super::super::system_rng;
use super::*;

fn identity() -> (Identity, SignedDescriptor) {
    drawn(&mut system_rng())
}

fn drawn(rng: &mut Rng) -> (Identity, SignedDescriptor) {
    let authority = SigningKey::generate(rng);
    let descriptor = Descriptor::founding("test", authority.node(), 13);
    let signed = SignedDescriptor::sign(&descriptor, &authority).unwrap();
    let (key, vrf, request) = draw_keys(&descriptor.community, rng);
    let terms = Terms {
        rights: Rights::default(),
        valid_from: Instant::from_secs(1_700_000_000),
        valid_until: Instant::from_secs(1_700_000_000) + Duration::from_secs(86_400),
    };
    let certificate = enrol(&authority, &descriptor, &request, terms, rng).unwrap();
    let identity = Identity {
        key,
        vrf,
        certificate,
    };
    (identity, signed)
}

fn founded() -> (TempDir, Home, Identity) {
    let folder = tempfile::tempdir().unwrap();
    let (identity, signed) = identity();
    let home = Home::at(folder.path());
    let mut vault = home.found(&identity, &signed, &mut system_rng()).unwrap();
    vault.set_setting("consent", "yes").unwrap();
    (folder, home, identity)
}

#[test]
fn a_vault_that_was_begun_becomes_the_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    home.begin(&mut system_rng()).unwrap();
    assert!(home.is_begun() && !home.is_inhabited() && !home.is_orphaned());
    let words = home.words().unwrap();
    let (_, mut vault) = home.open_begun().unwrap();
    vault.set_setting("consent", "yes").unwrap();
    drop(vault);
    // Once more changes nothing, and one that was killed while it founded the node begins again with the same vault.
    again(&home).begin(&mut system_rng()).unwrap();
    fs::write(folder.path().join("vault.db.founding"), b"").unwrap();
    let (identity, signed) = identity();
    drop(
        again(&home)
            .found(&identity, &signed, &mut system_rng())
            .unwrap(),
    );
    assert!(home.is_inhabited() && !home.is_begun());
    opens(&again(&home), &identity);
    assert_eq!(*again(&home).words().unwrap(), *words);
    again(&home).begin(&mut system_rng()).unwrap();
    opens(&home, &identity);
}

#[test]
fn a_vault_whose_beginning_was_cut_short_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    home.begin(&mut system_rng()).unwrap();
    fs::remove_file(folder.path().join("vault.db.begun")).unwrap();
    assert!(home.is_orphaned(), "nobody takes it for an empty place");
    fs::write(folder.path().join("vault.db.founding"), b"").unwrap();
    again(&home).begin(&mut system_rng()).unwrap();
    assert!(again(&home).open_begun().is_ok());
}

#[test]
fn a_passphrase_keeps_the_key_of_a_vault_that_waits_and_of_its_node() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    home.begin(&mut system_rng()).unwrap();
    let words = home.words().unwrap();
    let choice = || Choice::Passphrase(passphrase("correct horse battery"));
    // One that was cut short before the vault was written is taken back, and one after that goes on.
    for written in [false, true] {
        cut_short(&home, Some(choice()));
        if written {
            exchange(&home);
        }
        let knows = again(&home).with_passphrase(passphrase("correct horse battery"));
        drop(knows.open_begun().unwrap());
        assert_eq!(
            (slots(&home), *knows.words().unwrap() == *words),
            (1, !written)
        );
        assert_eq!(
            home.protection().unwrap().0.kind(),
            if written { "passphrase" } else { "file" }
        );
    }
    assert!(!folder.path().join("vault.key").exists());
    let wrong = || again(&home).with_passphrase(passphrase("another"));
    assert!(matches!(
        wrong().open_begun(),
        Err(HomeError::Key(KeyError::WrongPassphrase))
    ));
    assert!(wrong().unlocks().is_err());
    // It is the same vault, and the same passphrase, when the node comes.
    let knows = again(&home).with_passphrase(passphrase("correct horse battery"));
    let words = knows.words().unwrap();
    knows
        .open_begun()
        .unwrap()
        .1
        .set_setting("consent", "yes")
        .unwrap();
    let (identity, signed) = identity();
    drop(knows.found(&identity, &signed, &mut system_rng()).unwrap());
    assert!(wrong().open().is_err());
    let knows = again(&home).with_passphrase(passphrase("correct horse battery"));
    opens(&knows, &identity);
    assert_eq!(knows.words().unwrap(), words);
}

#[test]
fn the_words_open_a_vault_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    home.begin(&mut system_rng()).unwrap();
    let forgotten = Choice::Passphrase(passphrase("correct horse battery"));
    home.rotate(Some(forgotten), &mut system_rng()).unwrap();
    let words = home.words().unwrap();
    let other = words_of(&[9; 32]);
    let recover = |words: &str| again(&home).recover(words, &Choice::File(None), &mut system_rng());
    assert!(matches!(
        recover(&other),
        Err(HomeError::Key(KeyError::OtherWords))
    ));
    recover(&words).unwrap();
    assert_eq!(again(&home).words().unwrap(), words);
    // One from before it was written what keeps the key.
    fs::write(folder.path().join("vault.db.begun"), b"").unwrap();
    assert_eq!(again(&home).protection().unwrap().0.kind(), "file");
    assert_eq!(again(&home).words().unwrap(), words);
    again(&home).rotate(None, &mut system_rng()).unwrap();
    assert!(again(&home).words().unwrap() != words);
}

/// Somebody who knows nothing yet.
fn again(home: &Home) -> Home {
    Home::at(home.path())
}

fn opens(home: &Home, identity: &Identity) {
    let (found, _, vault) = home.open().unwrap();
    assert_eq!(found.node(), identity.node());
    assert_eq!(found.vrf.seed(), identity.vrf.seed());
    assert_eq!(vault.setting("consent"), Ok(Some("yes".into())));
}

fn slots(home: &Home) -> usize {
    home.slots().unwrap().1.len()
}

fn key_lines(home: &Home) -> usize {
    let text = fs::read_to_string(home.path().join("vault.key")).unwrap();
    text.lines().count()
}

fn passphrase(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// A rotation that cannot write the vault: what a crash before that leaves.
fn cut_short(home: &Home, choice: Option<Choice>) {
    let in_the_way = home.path().join("vault.db.rekeyed");
    fs::create_dir(&in_the_way).unwrap();
    assert!(home.rotate(choice, &mut system_rng()).is_err());
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(slots(home), 2);
}

/// The step after.
fn exchange(home: &Home) {
    let (_, keys) = home.unlock(&home.slots().unwrap().1).unwrap();
    let alone = Alone::take(&home.vault_path()).unwrap();
    alone.rekey(&keys[0], &keys[1]).unwrap();
}

#[test]
fn what_is_cut_short_before_the_vault_is_written_is_taken_back() {
    let (_folder, home, identity) = founded();
    let words = home.words().unwrap();
    cut_short(&home, None);
    assert_eq!(key_lines(&home), 2);
    opens(&again(&home), &identity);
    assert_eq!((slots(&home), key_lines(&home)), (1, 1));
    assert_eq!(again(&home).words().unwrap(), words);
}

#[test]
fn what_is_cut_short_after_that_is_brought_to_its_end() {
    let (_folder, home, identity) = founded();
    let words = home.words().unwrap();
    cut_short(&home, None);
    exchange(&home);
    opens(&again(&home), &identity);
    assert_eq!((slots(&home), key_lines(&home)), (1, 1));
    assert_ne!(again(&home).words().unwrap(), words);
}

#[test]
fn in_between_the_old_and_the_new_passphrase_open_and_both_words_recover() {
    for exchanged in [false, true] {
        for given in ["the old one", "the new one"] {
            let (_folder, home, identity) = founded();
            let rng = &mut system_rng();
            let old = Choice::Passphrase(passphrase("the old one"));
            home.rotate(Some(old), rng).unwrap();
            let words = home.words().unwrap();
            cut_short(&home, Some(Choice::Passphrase(passphrase("the new one"))));
            if exchanged {
                exchange(&home);
            }
            let recovered = tempfile::tempdir().unwrap();
            for entry in fs::read_dir(home.path()).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), recovered.path().join(entry.file_name())).unwrap();
            }
            let recovered = Home::at(recovered.path());
            recovered.recover(&words, &Choice::File(None), rng).unwrap();
            opens(&recovered, &identity);
            opens(&again(&home).with_passphrase(passphrase(given)), &identity);
            assert_eq!(slots(&home), 1);
        }
    }
}

#[test]
fn a_rotation_changes_the_key_and_leaves_nothing_of_the_old_one() {
    let (folder, home, identity) = founded();
    let (words, before) = (
        home.words().unwrap(),
        fs::read(home.path().join("vault.key")).unwrap(),
    );
    home.rotate(None, &mut system_rng()).unwrap();
    opens(&home, &identity);
    opens(&again(&home), &identity);
    assert_ne!(home.words().unwrap(), words);
    assert_ne!(fs::read(home.path().join("vault.key")).unwrap(), before);
    assert_eq!(key_lines(&home), 1);
    let why = again(&home).recover(&words, &Choice::File(None), &mut system_rng());
    assert!(matches!(why, Err(HomeError::Key(KeyError::OtherWords))));
    // A vault that somebody has open is not exchanged.
    let open = home.open().unwrap();
    let why = again(&home).rotate(None, &mut system_rng());
    assert!(matches!(why, Err(HomeError::Vault(VaultError::InUse))));
    drop((open, folder));
}

#[test]
fn a_folder_from_before_is_brought_over_and_keeps_no_secret_in_the_clear() {
    let (folder, home, identity) = founded();
    let key = home.open_whole().unwrap().0.key;
    let old = Keys::of(&identity, &key);
    fs::write(home.path().join("keys.cbor"), encode(&old)).unwrap();
    fs::remove_file(home.path().join("vault.key")).unwrap();
    assert_eq!(again(&home).node(), Some(identity.node()));
    assert_eq!(again(&home).identity().unwrap().node(), identity.node());
    assert_eq!(slots(&home), 0);
    opens(&again(&home), &identity);
    assert_eq!((slots(&home), key_lines(&home)), (1, 1));
    opens(&again(&home), &identity);
    let kept = fs::read(home.path().join("keys.cbor")).unwrap();
    for secret in [identity.key.seed(), identity.vrf.seed(), key.as_bytes()] {
        assert!(!kept.windows(32).any(|window| window == secret));
    }
    drop(folder);
}

#[test]
fn nobody_is_made_anew_where_a_vault_is_left() {
    let (_folder, home, identity) = founded();
    let words = home.words().unwrap();
    let keys = home.path().join("keys.cbor");
    fs::remove_file(&keys).unwrap();
    let (other, signed) = self::identity();
    let why = again(&home).found(&other, &signed, &mut system_rng());
    assert!(matches!(why, Err(HomeError::Orphaned(_))));
    assert!(matches!(again(&home).open(), Err(HomeError::Orphaned(_))));
    let rng = &mut system_rng();
    again(&home)
        .recover(&words, &Choice::File(None), rng)
        .unwrap();
    opens(&again(&home), &identity);
    // What a founding that was cut short has left is nobody's.
    fs::remove_file(&keys).unwrap();
    fs::write(home.path().join("vault.db.founding"), "").unwrap();
    let vault = again(&home).found(&other, &signed, rng).unwrap();
    assert_eq!(vault.setting("consent"), Ok(None));
    drop(vault);
    assert_eq!(again(&home).open().unwrap().0.node(), other.node());
}

#[test]
fn keys_of_one_node_with_the_certificate_of_another_are_refused() {
    let (_folder, home, _) = founded();
    let (other, signed) = identity();
    home.update(Some(other.certificate), &signed).unwrap();
    assert!(matches!(
        again(&home).open(),
        Err(HomeError::Damaged { .. })
    ));
}

/// What nobody has signed is read with care: nothing that is near to a file of keys opens anything else, or harms.
#[test]
fn a_file_of_keys_that_was_changed_opens_nothing_else() {
    let (folder, rng) = (tempfile::tempdir().unwrap(), &mut Rng::from_number(3));
    let (identity, _) = drawn(rng);
    let (key, certificate) = (VaultKey::generate(rng), &identity.certificate);
    let secrets = Secrets::of(&identity);
    let passphrase = || Choice::Passphrase(Zeroizing::new("correct horse battery".into()));
    let mut kept = |choices: &[Choice]| {
        let make = |choice| Slot::make(folder.path(), choice, &key, &secrets, rng).unwrap();
        let slots = choices.iter().map(make).collect();
        Stored::New(Kept::new(certificate.clone(), slots))
    };
    let files = [
        Stored::Old(Keys::of(&identity, &key)),
        kept(&[Choice::File(None)]),
        kept(&[
            Choice::File(Some(folder.path().join("stick"))),
            passphrase(),
        ]),
    ];
    let files: Vec<_> = files.iter().map(|file| file.bytes().to_vec()).collect();
    let mut opened = 0;
    for _ in 0..20_000 {
        let bytes = mutant(&files, rng);
        let Ok(stored) = Stored::of(&bytes) else {
            continue;
        };
        assert!(*stored.bytes() == bytes, "one encoding of each file");
        let Stored::New(found) = stored else { continue };
        for slot in &found.slots {
            let told = slot.told(folder.path());
            assert!(
                !told.is_empty() && !told.chars().any(char::is_control),
                "one line"
            );
        }
        if let Some((found, keys)) = kept::open(&found.slots, &key) {
            opened += 1;
            assert!(found.signing == secrets.signing && found.vrf == secrets.vrf);
            assert_eq!(keys.len(), 1);
        }
    }
    assert!(opened > 10, "{opened}");
}

/// A vault as the program before wrote it, under the key that follows from this number.
const BEFORE: &[u8] = include_bytes!("../../../../vault/tests/vaults/format-4.db");
const BEFORES_KEY: u64 = 77;

#[test]
fn homes_of_older_programs_open() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    let rng = &mut system_rng();
    let key = VaultKey::generate(&mut Rng::from_number(BEFORES_KEY));
    let make = |path: &std::path::Path| Vault::create(path, &key).map_err(HomeError::from);
    let begun = home.begin_with(&key, &Choice::File(None), rng, make);
    drop(begun.unwrap());
    let older = || fs::write(home.vault_path(), BEFORE).unwrap();
    let is_whole = |vault: &Vault| {
        assert_eq!(vault.setting("any").unwrap().as_deref(), Some("thing"));
        assert_eq!(vault.log_end().unwrap().entries, 1);
    };
    older();
    is_whole(&again(&home).open_begun().unwrap().1);
    older();
    let (identity, signed) = identity();
    is_whole(&again(&home).found(&identity, &signed, rng).unwrap());
    older();
    is_whole(&again(&home).open().unwrap().2);
    older();
    again(&home).rotate(None, rng).unwrap();
    is_whole(&again(&home).open().unwrap().2);
}
