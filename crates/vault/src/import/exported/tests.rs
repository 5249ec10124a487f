use std::io::Write;

use base::Rng;
use community::{Column, Kind, Range};
use tempfile::{TempDir, tempdir, tempfile};

use super::*;
use crate::key::VaultKey;
use crate::{Export, import_csv};

fn vault() -> (TempDir, Vault) {
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let vault = Vault::create(&folder.path().join("vault.db"), &key).expect("created");
    (folder, vault)
}

fn table(name: &str) -> Table {
    let number = |name: &str, decimals| Column {
        name: name.into(),
        kind: Kind::Number(Range {
            decimals,
            min: -1_000_000_000_000_000,
            max: 1_000_000_000_000_000,
        }),
    };
    let words = Kind::Category(vec!["Lyon".into(), "a \"b\", c".into()]);
    Table {
        name: name.into(),
        columns: vec![
            number("whole", 0),
            number("exact \u{e9}", 9),
            Column {
                name: "town".into(),
                kind: words,
            },
            Column {
                name: "words".into(),
                kind: Kind::Text,
            },
        ],
    }
}

const ROWS: &str = "whole,exact \u{e9},town,words\n\
    1,0.000000001,Lyon,\"two\nlines, \"\"quoted\"\"\"\n\
    ,-999999.999999999,\"a \"\"b\"\", c\",\n\
    -1000000000000000,1e-9,,\u{1f600}\n\
    1,0.000000001,Lyon,\"two\nlines, \"\"quoted\"\"\"\n\
    ,,,x\n";

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile().expect("a file");
    file.write_all(bytes).expect("written");
    file
}

fn exported(vault: &Vault, tables: &[&str], format: Export) -> Vec<u8> {
    let mut out = Vec::new();
    vault.export(tables, format, &mut out).expect("exported");
    out
}

fn bring<'a>(
    vault: &mut Vault,
    bytes: &[u8],
    tables: &'a [Table],
    preview: bool,
) -> Result<Option<Brought<'a>>, ImportError> {
    let options = Options {
        name: "all.json",
        preview,
        ..Options::default()
    };
    import_exported(vault, &file(bytes), tables, &options, &mut |_| {})
}

#[test]
fn what_was_exported_is_read_back_to_the_same_rows() {
    let (_folder, mut from) = vault();
    let tables = [table("garden"), table("Orchard"), table("empty")];
    for table in &tables[..2] {
        import_csv(&mut from, ROWS.as_bytes(), table, None).expect("imported");
    }
    let names = ["garden", "Orchard"];
    let json = exported(&from, &names, Export::Json);

    let (_folder, mut to) = vault();
    let seen = bring(&mut to, &json, &tables, true).expect("looked at");
    let seen = seen.expect("it is of these tables");
    assert_eq!(to.held(), Ok(vec![]), "a look changes nothing");
    let brought = bring(&mut to, &json, &tables, false).expect("imported");
    let brought = brought.expect("it is of these tables");
    assert_eq!(brought.own, None);
    let told = brought.tables.iter();
    let told: Vec<_> = told.map(|(it, number, _)| (&*it.name, *number)).collect();
    assert_eq!(told, [("garden", Some(1)), ("Orchard", Some(2))]);
    assert_eq!(seen.tables[1].2.kept, 5);
    for name in names {
        for format in [Export::Csv, Export::Json] {
            assert_eq!(
                exported(&to, &[name], format),
                exported(&from, &[name], format)
            );
        }
    }
    // Once more: nothing is new. And each goes by itself.
    let again = bring(&mut to, &json, &tables, false).expect("read");
    let again = again.expect("it is of these tables");
    assert!(
        again
            .tables
            .iter()
            .all(|(_, number, it)| number.is_none() && it.unchanged)
    );
    assert_eq!(to.undo(2, 9).map(|it| it.removed), Ok(5));
    assert_eq!(
        exported(&to, &["garden"], Export::Csv),
        exported(&from, &["garden"], Export::Csv)
    );
}

#[test]
fn a_file_of_several_tables_comes_in_whole_or_not_at_all() {
    let (_folder, mut vault) = vault();
    let tables = [table("garden"), table("orchard")];
    let own = r#"{"commonhold_table":"steps","start_utc_s":1700000000,"end_utc_s":1700000060,"steps_count":7}"#;
    let garden = r#"{"commonhold_table":"garden","whole":3,"exact \u00e9":0.25,"unknown":[1],"town":null,"words":null}"#;
    let orchard = |town: &str| format!(r#"{{"commonhold_table":"orchard","town":{town}}}"#);
    let other = r#"{"commonhold_table":"elsewhere","x":1}"#;
    let whole = |rows: &[&str]| format!("{{\"rows\":[{}]}}", rows.join(",\n"));
    let lyon = orchard("\"Lyon\"");
    let text = whole(&[garden, own, &lyon, other, garden]);
    let brought = bring(&mut vault, text.as_bytes(), &tables, false).expect("imported");
    let brought = brought.expect("it is of these tables");
    let own_part = brought.own.expect("steps");
    assert_eq!((own_part.import, own_part.total_kept()), (Some(1), 1));
    assert_eq!(own_part.total_skipped(), 1, "of a table that nobody knows");
    let kept: Vec<_> = brought
        .tables
        .iter()
        .map(|it| (it.1, it.2.kept, it.2.unusable_cells))
        .collect();
    assert_eq!(kept, [(Some(2), 2, 0), (Some(3), 1, 0)]);
    let csv = String::from_utf8(exported(&vault, &["garden"], Export::Csv));
    assert_eq!(csv.expect("text").lines().nth(1), Some("3,0.250000000,,"));

    // A column that is not there, beside one that the table has not: another name for it.
    let renamed = whole(&[r#"{"commonhold_table":"garden","all":3,"town":"Lyon","words":"x"}"#]);
    let missing = bring(&mut vault, renamed.as_bytes(), &tables, false);
    let name = "whole".to_owned();
    assert_eq!(
        missing.map(|_| ()),
        Err(ImportError::MissingColumn { name })
    );

    // A part that is refused: nothing of the others.
    let cut = &text[..text.len() - 1];
    let before = vault.imports();
    let later = whole(&[
        own,
        &garden.replace('3', "4"),
        &renamed[9..renamed.len() - 2].replace("garden", "orchard"),
    ]);
    for refused in [cut.to_owned(), whole(&[garden, other]), later] {
        assert!(
            bring(&mut vault, refused.as_bytes(), &tables, false).is_err(),
            "{refused}"
        );
        assert_eq!(vault.imports(), before);
    }
    // Cells that cannot be used are told by their record.
    let odd = whole(&[garden, &orchard("{\"a\":1}")]);
    let brought = bring(&mut vault, odd.as_bytes(), &tables, true)
        .expect("read")
        .expect("theirs");
    let faults: Vec<_> = brought.tables[1]
        .2
        .faults
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        faults[0].starts_with("record 2") && faults[0].contains("town"),
        "{faults:?}"
    );
    // Files of other kinds, and without rows of these tables, are somebody else's.
    for others in [
        ROWS.to_owned(),
        whole(&[own]),
        "nothing".to_owned(),
        String::new(),
    ] {
        assert_eq!(
            bring(&mut vault, others.as_bytes(), &tables, false),
            Ok(None)
        );
    }
}

/// A community that asks about a part of a table that other files fill: whoever moves keeps all of it.
#[test]
fn rows_that_say_more_than_a_community_asks_about_are_kept_whole() {
    let mut asked = table("positions");
    asked.columns = ["at_utc_s", "latitude_deg"]
        .map(|name| Column {
            name: name.into(),
            ..asked.columns[0].clone()
        })
        .into();
    asked.columns[1].kind = Kind::Number(Range {
        decimals: 6,
        min: -90_000_000,
        max: 90_000_000,
    });
    let tables = [asked, table("garden")];
    let there = |second: u32| {
        format!(
            r#"{{"commonhold_table":"positions","at_utc_s":{second},"utc_offset_min":60,"latitude_deg":46.05,"longitude_deg":14.5,"source":"GPS"}}"#
        )
    };
    let garden =
        r#"{"commonhold_table":"garden","whole":3,"exact é":0.25,"town":null,"words":null}"#;
    let file = |rows: &[&str]| format!("{{\"rows\":[{}]}}", rows.join(",\n"));
    let text = file(&[&there(1_700_000_000), garden, &there(1_700_000_060)]);

    let (_folder, mut from) = vault();
    let brought = bring(&mut from, text.as_bytes(), &tables, false).expect("imported");
    let brought = brought.expect("the garden is the community's");
    assert_eq!(brought.own.map(|own| own.total_kept()), Some(2));
    assert_eq!(brought.tables.len(), 1);
    let json = exported(&from, &["garden", "positions"], Export::Json);
    assert!(String::from_utf8_lossy(&json).contains("\"longitude_deg\":14.5"));

    // As whole in another vault; and where it came from it says nothing new.
    let (_folder, mut to) = vault();
    bring(&mut to, &json, &tables, false).expect("imported");
    assert_eq!(exported(&to, &["garden", "positions"], Export::Json), json);
    let again = bring(&mut from, &json, &tables, false).expect("read");
    let again = again.expect("the garden is the community's");
    let own = again.own.expect("positions");
    assert_eq!((own.total_kept(), own.duplicate), (0, 2));
    assert!(again.tables[0].2.unchanged);

    // What says no more than the community asks about is for its table, unless other files have filled that.
    let short = file(&[r#"{"commonhold_table":"positions","at_utc_s":1,"latitude_deg":46.05}"#]);
    let (_folder, mut fresh) = vault();
    let brought = bring(&mut fresh, short.as_bytes(), &tables, false).expect("imported");
    assert_eq!(brought.expect("the community's").tables[0].2.kept, 1);
    assert_eq!(bring(&mut to, short.as_bytes(), &tables, false), Ok(None));
}
