use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::super::replay::mutant;
use super::*;

fn key(number: u8) -> VaultKey {
    VaultKey::from_bytes(&[number; 32])
}

fn secrets() -> Secrets {
    Secrets {
        signing: [1; 32],
        vrf: [2; 32],
        other: None,
    }
}

fn nobody() -> Result<Zeroizing<String>, PassphraseError> {
    panic!("nobody is to be asked")
}

fn bytes(keys: &[VaultKey]) -> Vec<[u8; 32]> {
    keys.iter().map(|key| *key.as_bytes()).collect()
}

#[test]
fn a_file_keeps_keys_of_several_nodes_and_forgets_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let rng = &mut Rng::from_number(1);
    let path = folder.path().join("stick/keys");
    fs::create_dir(path.parent().unwrap()).unwrap();
    let choice = Choice::File(Some(path.clone()));
    let mut make =
        |key: &VaultKey| Slot::make(folder.path(), &choice, key, &secrets(), rng).unwrap();
    let (first, second) = (make(&key(1)), make(&key(2)));
    make(&key(1));
    let found = first.keys(folder.path(), nobody).unwrap();
    assert_eq!(bytes(&found), [[1; 32], [2; 32]]);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    first.forget(folder.path(), &key(1)).unwrap();
    first.forget(folder.path(), &key(1)).unwrap();
    assert_eq!(
        bytes(&second.keys(folder.path(), nobody).unwrap()),
        [[2; 32]]
    );
    second.forget(folder.path(), &key(2)).unwrap();
    assert!(!path.exists());
    second.forget(folder.path(), &key(2)).unwrap();
    let why = second.keys(folder.path(), nobody).err().unwrap();
    assert!(why.to_string().contains("key recover"), "{why}");
}

#[test]
fn a_file_that_is_somebody_elses_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter");
    let rng = &mut Rng::from_number(1);
    for content in ["Dear Ada,\n", "ff\n", &format!("{}\nmore", "0".repeat(64))] {
        fs::write(&path, content).unwrap();
        let choice = Choice::File(Some(path.clone()));
        assert!(Slot::make(folder.path(), &choice, &key(1), &secrets(), rng).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn a_passphrase_opens_its_slot_and_a_wrong_one_is_said_to_be_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let rng = &mut Rng::from_number(1);
    let passphrase = |text: &str| Zeroizing::new(text.to_owned());
    let choice = Choice::Passphrase(passphrase("correct horse"));
    let slot = Slot::make(folder.path(), &choice, &key(1), &secrets(), rng).unwrap();
    assert!(slot.asks());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let keys = slot
        .keys(folder.path(), || Ok(passphrase("correct horse")))
        .unwrap();
    assert_eq!(bytes(&keys), [[1; 32]]);
    let wrong = slot.keys(folder.path(), || Ok(passphrase("wrong horse")));
    assert!(matches!(wrong, Err(KeyError::WrongPassphrase)));
    assert!(!format!("{choice:?}").contains("horse"));
}

#[test]
fn secrets_are_sealed_under_the_key_alone_and_each_time_anew() {
    let folder = tempfile::tempdir().unwrap();
    let rng = &mut Rng::from_number(1);
    let slot = Slot::make(folder.path(), &Choice::File(None), &key(1), &secrets(), rng).unwrap();
    assert!(folder.path().join(KEY_FILE).exists());
    assert!(slot.open(&key(2)).is_none());
    assert_eq!(slot.open(&key(1)).unwrap().signing, [1; 32]);
    let mut other = secrets();
    other.other = Some([9; 32]);
    let again = slot.with(&key(1), &other, rng);
    assert_eq!(again.open(&key(1)).unwrap().other, Some([9; 32]));
    assert_eq!(slot.protection, again.protection);
    assert_eq!(name(&slot.salt), name(&again.salt));
    assert_ne!(slot.salt, again.salt);
    let read: Slot = decode(&encode(&again), 4096).unwrap();
    assert!(read == again);
}

#[test]
fn keys_survive_their_line() {
    for number in [0, 1, 0x0f, 0xf0, 0xff] {
        let line = hex(&key(number));
        assert_eq!(line.len(), 64);
        assert_eq!(of_hex(&line).unwrap().as_bytes(), &[number; 32]);
    }
    for wrong in ["", "00", &"g".repeat(64), &"0".repeat(66), &"é".repeat(32)] {
        assert!(of_hex(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn what_is_near_a_key_file_is_read_as_keys_or_refused() {
    let (folder, rng) = (tempfile::tempdir().unwrap(), &mut Rng::from_number(5));
    let path = folder.path().join("keys");
    write_file(&path, &[key(1), key(0xa5), key(0xff)]).unwrap();
    let files = [fs::read(&path).unwrap(), b"\r\n".to_vec(), Vec::new()];
    let mut read = 0;
    for _ in 0..5_000 {
        fs::write(&path, mutant(&files, rng)).unwrap();
        if let Ok(keys) = read_file(&path) {
            read += 1;
            write_file(&path, &keys).unwrap();
            assert_eq!(bytes(&read_file(&path).unwrap()), bytes(&keys));
        }
    }
    assert!(read > 10, "{read}");
}
