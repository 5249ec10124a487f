//! A small vault for the tests of this crate.

use base::Rng;
use community::{Column, Kind, Range, Table};
use tempfile::{TempDir, tempdir};

use crate::import::import_csv;
use crate::key::VaultKey;
use crate::vault::Vault;

const CSV: &str = "id,age,hours,town,secret\n1,40,7.5,Lyon,1\n2,50,,Lyon,2\n3,60,6.0,Nice,3\n";

pub(crate) fn number(name: &str, decimals: u8, min: i64, max: i64) -> Column {
    Column {
        name: name.into(),
        kind: Kind::Number(Range { decimals, min, max }),
    }
}

pub(crate) fn people() -> Table {
    let columns = vec![
        number("id", 0, 0, 9_000_000_000_000_000_000),
        number("age", 0, 0, 120),
        number("hours", 1, 0, 240),
        Column {
            name: "town".into(),
            kind: Kind::Category(vec!["Lyon".into(), "Nice".into()]),
        },
        number("secret", 0, 0, 9),
    ];
    Table {
        name: "people".into(),
        columns,
    }
}

pub(crate) fn vault() -> (TempDir, Vault) {
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let mut vault = Vault::create(&folder.path().join("vault.db"), &key).expect("created");
    import_csv(&mut vault, CSV.as_bytes(), &people(), None).expect("imported");
    let other = Table {
        name: "other".into(),
        columns: vec![number("age", 0, 0, 120)],
    };
    import_csv(&mut vault, CSV.as_bytes(), &other, None).expect("imported");
    vault.journal_put(b"vote", b"yes").expect("stored");
    (folder, vault)
}
