use base::Rng;
use proptest::prelude::*;

use super::*;

fn key(number: u8) -> VaultKey {
    VaultKey::from_bytes(&[number; 32])
}

fn large() -> Vec<u8> {
    (0..PIECE * 2 + 17).map(|place| place as u8).collect()
}

fn written(passphrase: Option<&str>) -> Vec<u8> {
    let rng = &mut Rng::from_number(1);
    let mut writer = Writer::begin(Vec::new(), &key(1), passphrase, rng).unwrap();
    writer.entry("small", 5, &b"hello"[..]).unwrap();
    writer.entry("empty", 0, &b""[..]).unwrap();
    let large = large();
    writer
        .entry("large", large.len() as u64, &large[..])
        .unwrap();
    writer.end().unwrap()
}

fn read(bytes: &[u8], opener: &Opener<'_>) -> Result<Vec<(String, Vec<u8>)>, BackupError> {
    let mut reader = Reader::open(bytes, opener)?;
    let mut found = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        let mut content = Vec::new();
        reader.content(&mut content)?;
        found.push((entry.name, content));
    }
    Ok(found)
}

/// Where each piece begins, and how many bytes there are.
fn pieces_of(bytes: &[u8]) -> Vec<usize> {
    let mut at = MAGIC.len();
    let mut begins = Vec::new();
    while at < bytes.len() {
        begins.push(at);
        let length: [u8; 4] = bytes[at..at + 4].try_into().unwrap();
        at += 4 + u32::from_be_bytes(length) as usize;
    }
    begins.push(at);
    begins
}

#[test]
fn what_was_written_is_read_with_the_key_or_the_passphrase() {
    let entry = |name: &str, content: &[u8]| (name.to_owned(), content.to_vec());
    let all = vec![
        entry("small", b"hello"),
        entry("empty", b""),
        entry("large", &large()),
    ];
    let bytes = written(Some("open sesame"));
    assert_eq!(read(&bytes, &Opener::Key(&key(1))), Ok(all.clone()));
    assert_eq!(read(&bytes, &Opener::Passphrase("open sesame")), Ok(all));
    let wrong = read(&bytes, &Opener::Passphrase("open barley"));
    assert_eq!(wrong, Err(BackupError::WrongPassphrase));
    let wrong = read(&bytes, &Opener::Key(&key(2)));
    assert_eq!(wrong, Err(BackupError::OtherWords));
    let without = read(&written(None), &Opener::Passphrase("open sesame"));
    assert_eq!(without, Err(BackupError::NoPassphrase));
    for plain in [&b"hello"[..], b"small", b"large", &[7, 8, 9, 10, 11, 12]] {
        assert!(!bytes.windows(plain.len()).any(|window| window == plain));
    }
}

#[test]
fn it_is_whole_or_refused_wherever_it_is_cut_off() {
    let bytes = written(None);
    for length in 0..bytes.len() {
        // Every place in the beginning and around the borders of pieces, some of the rest.
        if length < 600
            || pieces_of(&bytes).iter().any(|at| at.abs_diff(length) < 3)
            || length % 997 == 0
        {
            let why = read(&bytes[..length], &Opener::Key(&key(1))).unwrap_err();
            let named = matches!(why, BackupError::Short(_) | BackupError::NotOne);
            assert!(named, "{length}: {why}");
        }
    }
    let longer = [&bytes[..], b"x"].concat();
    let why = read(&longer, &Opener::Key(&key(1))).unwrap_err();
    assert!(matches!(why, BackupError::Damaged(_)));
}

#[test]
fn pieces_are_not_left_out_repeated_swapped_or_brought_from_another_backup() {
    let (bytes, opened) = (written(None), Opener::Key(&key(1)));
    let at = pieces_of(&bytes);
    let piece = |n: usize| &bytes[at[n]..at[n + 1]];
    let count = at.len() - 1;
    // The first is the header.
    for n in 1..count {
        let without = [&bytes[..at[n]], &bytes[at[n + 1]..]].concat();
        assert!(read(&without, &opened).is_err(), "{n} left out");
        let twice = [&bytes[..at[n + 1]], &bytes[at[n]..]].concat();
        assert!(read(&twice, &opened).is_err(), "{n} repeated");
    }
    let swapped = [&bytes[..at[1]], piece(2), piece(1), &bytes[at[3]..]].concat();
    assert!(read(&swapped, &opened).is_err());
    let other = {
        let rng = &mut Rng::from_number(2);
        let mut writer = Writer::begin(Vec::new(), &key(1), None, rng).unwrap();
        writer.entry("small", 5, &b"other"[..]).unwrap();
        writer.end().unwrap()
    };
    let theirs = pieces_of(&other);
    let mixed = [&bytes[..at[1]], &other[theirs[1]..]].concat();
    assert!(read(&mixed, &opened).is_err());
}

#[test]
fn other_formats_and_files_are_told_apart() {
    let opened = Opener::Key(&key(1));
    assert_eq!(read(b"", &opened), Err(BackupError::NotOne));
    assert_eq!(
        read(b"PK\x03\x04 and so on, and so on", &opened),
        Err(BackupError::NotOne)
    );
    let mut later = written(None);
    later[MAGIC.len() - 2] = b'2';
    assert_eq!(read(&later, &opened), Err(BackupError::OtherFormat));
    // A length that would take all memory.
    let huge = [MAGIC, &[0xff; 4]].concat();
    assert!(matches!(read(&huge, &opened), Err(BackupError::Damaged(_))));
}

#[test]
fn a_source_that_is_shorter_than_it_was_makes_no_backup() {
    let rng = &mut Rng::from_number(1);
    let mut writer = Writer::begin(Vec::new(), &key(1), None, rng).unwrap();
    assert!(writer.entry("short", 6, &b"hello"[..]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_changed_byte_goes_unnoticed(at in 0usize..1 << 20, flip in 1u8..=255) {
        let mut bytes = written(None);
        let at = at % bytes.len();
        bytes[at] ^= flip;
        prop_assert!(read(&bytes, &Opener::Key(&key(1))).is_err());
    }

    #[test]
    fn anybodys_bytes_are_refused_and_no_more(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let bytes = [MAGIC, &noise].concat();
        prop_assert!(read(&bytes, &Opener::Key(&key(1))).is_err());
    }
}
