//! Files that are damaged, cut off, absurd or made to do harm, and a world that does not hold still: one clear line, and
//! the vault as it was before.

mod common;

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;

use common::{
    bring, bring_with, csv, everything, file_of, key, lent, new_vault, options, own, rows,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vault::{Format, ImportError, Options, Place, Vault, VaultError, import};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const TRACK: &str = r#"<gpx creator="x"><trk><trkseg><trkpt lat="1" lon="2"><time>2020-01-01T00:00:00Z</time></trkpt></trkseg></trk></gpx>"#;

/// A vault with something in it; what is refused leaves it so.
fn refused(bytes: &[u8], options: &Options<'_>) -> ImportError {
    let (_folder, _, mut vault) = new_vault();
    bring(&mut vault, TRACK.as_bytes()).expect("imported");
    let before = (everything(&vault), vault.imports());
    let error = bring_with(&mut vault, bytes, options).expect_err("refused");
    assert!(
        (everything(&vault), vault.imports()) == before,
        "something was changed"
    );
    let text = error.to_string();
    assert!(!text.contains('\n') && text.len() < 400, "{text}");
    error
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default())
            .expect("begun");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

#[test]
fn none_of_two_files_of_one_name_is_passed_over() {
    let other = TRACK.replace("2020", "2021");
    let mut bytes = zip_of(&[("a.gpx", TRACK.as_bytes()), ("b.gpx", other.as_bytes())]);
    let (_folder, _, mut vault) = new_vault();
    let report = bring(&mut vault, &bytes).expect("imported");
    assert_eq!(report.total_kept(), 2);
    rename(&mut bytes, b"b.gpx", b"a.gpx");
    let text = refused(&bytes, &options()).to_string();
    assert!(text.contains("files have the name \"a.gpx\""), "{text}");
    // One that is no data hides one that is.
    let mut bytes = zip_of(&[("a.gpx", TRACK.as_bytes()), ("b.gpx", b"a letter")]);
    rename(&mut bytes, b"b.gpx", b"a.gpx");
    let text = refused(&bytes, &options()).to_string();
    assert!(text.contains("files have the name \"a.gpx\""), "{text}");
}

#[test]
fn what_is_no_data_may_be_there_twice() {
    let mut zip = ZipWriter::new(Cursor::new(b"before the archive".to_vec()));
    let plain = SimpleFileOptions::default();
    zip.add_directory("x/", plain).expect("added");
    zip.add_directory("y/", plain).expect("added");
    for (name, bytes) in [
        ("readme.txt", b"dear".as_slice()),
        ("x/a.gpx", TRACK.as_bytes()),
        ("please.txt", b"dearest"),
    ] {
        zip.start_file(name, plain).expect("begun");
        zip.write_all(bytes).expect("written");
    }
    let mut bytes = zip.finish().expect("finished").into_inner();
    rename(&mut bytes, b"y/", b"x/");
    rename(&mut bytes, b"please.txt", b"readme.txt");
    let (_folder, _, mut vault) = new_vault();
    let report = bring(&mut vault, &bytes).expect("imported");
    assert_eq!(report.total_kept(), 1);
}

#[test]
fn what_is_wrong_in_an_archive_names_the_file() {
    let somebody = br#"{"resourceType":"Patient","id":"1","birthDate":"1950"}"#;
    let other = br#"{"resourceType":"Patient","id":"2","birthDate":"1950"}"#;
    let two = zip_of(&[("me.json", somebody.as_slice()), ("you\n.json", other)]);
    let text = refused(&two, &options()).to_string();
    assert!(text.contains("\"you?.json\" of the archive"), "{text}");
    let cut = zip_of(&[("x/cut.gpx", &TRACK.as_bytes()[..40])]);
    let text = refused(&cut, &options()).to_string();
    assert!(text.contains("\"x/cut.gpx\" of the archive"), "{text}");
    let (_folder, _, mut vault) = new_vault();
    let report = bring(
        &mut vault,
        &zip_of(&[
            ("a.gpx", TRACK.as_bytes()),
            ("b/photo.jpg", b"\xff\xd8\xff"),
        ]),
    )
    .expect("imported");
    let fault = report.faults[0].to_string();
    assert!(fault.contains("\"b/photo.jpg\" of the archive"), "{fault}");
}

/// Puts one name in the place of another, wherever it stands.
fn rename(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
}

#[test]
fn of_a_file_that_gives_nothing_the_main_reason_is_told() {
    let point = r#"<trkpt lat="1" lon="2"></trkpt>"#;
    let track = format!(
        r#"<gpx creator="x"><wpt lat="1" lon="2"><name>x</name></wpt><trk><trkseg>{}</trkseg></trk></gpx>"#,
        point.repeat(3)
    );
    let text = refused(track.as_bytes(), &options()).to_string();
    assert!(text.contains("all its 4 records"), "{text}");
    assert!(text.contains("has no time"), "{text}");
}

#[test]
fn small_files_that_would_grow() {
    let lol = r#"<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><gpx><trk>&b;</trk></gpx>"#;
    assert!(matches!(
        refused(lol.as_bytes(), &options()),
        ImportError::Entities { .. }
    ));
    let outside = r#"<!DOCTYPE gpx [<!ENTITY a SYSTEM "file:///etc/passwd">]><gpx>&a;</gpx>"#;
    assert!(matches!(
        refused(outside.as_bytes(), &options()),
        ImportError::Entities { .. }
    ));
    let deep = format!("<gpx>{}", "<a>".repeat(100_000));
    assert!(matches!(
        refused(deep.as_bytes(), &options()),
        ImportError::TooDeep { .. }
    ));
    let nested = format!("{{\"locations\":[{}", "[".repeat(100_000));
    assert_eq!(
        refused(nested.as_bytes(), &options()),
        ImportError::TooDeep {
            place: Place::Line(1)
        }
    );
    // Entities that nobody defined stand for nothing.
    let (_folder, _, mut vault) = new_vault();
    let odd = TRACK
        .replace("\"x\"", "\"a&#65;\"")
        .replace("00Z", "00&lol;Z");
    bring(&mut vault, odd.as_bytes()).expect("imported");
    assert!(rows(&vault, "positions")[0].ends_with(",aA"));
}

#[test]
fn records_without_end() {
    let long = "x".repeat(10 << 20);
    let cases = [
        (format!("<gpx creator=\"{long}\"/>"), Format::Gpx),
        (format!("<gpx>{long}</gpx>"), Format::Gpx),
        (format!("<gpx><!--{long}--></gpx>"), Format::Gpx),
        (format!("{{\"resourceType\":\"{long}\"}}"), Format::Fhir),
        (format!("{{\"{long}\":1}}"), Format::GoogleTimeline),
        (format!("BEGIN:VCALENDAR\nX:{long}\n"), Format::Ics),
        (format!("OFXHEADER:100\n<OFX><NAME>{long}"), Format::Ofx),
    ];
    for (file, format) in cases {
        let chosen = Options {
            format: Some(format),
            ..options()
        };
        let error = refused(file.as_bytes(), &chosen);
        assert!(
            matches!(error, ImportError::TooLarge { .. }),
            "{format}: {error}"
        );
    }
    let folded = format!("BEGIN:VCALENDAR\nX:{}", "y\n ".repeat(5 << 20));
    assert!(matches!(
        refused(folded.as_bytes(), &options()),
        ImportError::TooLarge { .. }
    ));
    let line = format!("Date,Name,Year,Letterboxd URI,Rating\n{long}\n");
    assert_eq!(
        refused(line.as_bytes(), &options()),
        ImportError::RecordTooLong { line: 2 }
    );
    let fit = Options {
        format: Some(Format::Fit),
        ..options()
    };
    assert!(matches!(
        refused(&vec![0; 20 << 20], &fit),
        ImportError::Malformed { .. }
    ));
    let mut long = b"\x0c\x10\0\0\0\0\0\x02.FIT".to_vec();
    long.resize(33 << 20, 0);
    let error = refused(&long, &fit).to_string();
    assert!(error.contains("more than 32 MB"), "{error}");
}

#[test]
fn cut_off_anywhere() {
    let files = [
        own("garmin-fenix-5-bike.fit"),
        own("stmtrs_euro.ofx").trim_ascii_end().to_vec(),
        zip_of(&[("a.gpx", TRACK.as_bytes()), ("b.gpx", TRACK.as_bytes())]),
        TRACK.into(),
        br#"{"locations":[{"latitudeE7":1,"longitudeE7":1,"timestamp":"2020-01-01T00:00:00Z"}]}"#
            .to_vec(),
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20200101\nEND:VEVENT\nEND:VCALENDAR".to_vec(),
    ];
    for file in files {
        let (_folder, _, mut vault) = new_vault();
        for cut in (1..file.len()).step_by(file.len().div_ceil(60)) {
            let result = bring(&mut vault, &file[..file.len() - cut]);
            assert!(result.is_err(), "{cut} bytes are missing: {result:?}");
        }
        assert_eq!(vault.held(), Ok(vec![]));
        bring(&mut vault, &file).expect("whole");
    }
}

#[test]
fn archives_that_do_harm() {
    let is_archive = |bytes: &[u8], part: &str| {
        let error = refused(bytes, &options()).to_string();
        assert!(
            error.contains("archive cannot be used") && error.contains(part),
            "{error}"
        );
    };
    is_archive(
        &zip_of(&[("../../etc/cron.d/x.gpx", TRACK.as_bytes())]),
        "leads out of the archive",
    );
    is_archive(
        &zip_of(&[("/etc/x.gpx", TRACK.as_bytes())]),
        "leads out of the archive",
    );
    // A bomb: a thousand times as long when it is unpacked.
    let bomb = format!("<gpx>{}</gpx>", "<a></a>".repeat(10 << 20));
    let bomb = zip_of(&[("bomb.gpx", bomb.as_bytes())]);
    assert!(bomb.len() < 1 << 20);
    is_archive(&bomb, "unpacks to more than 200 times");
    let whole = zip_of(&[("a.gpx", TRACK.as_bytes())]);
    is_archive(&whole[..whole.len() - 30], "damaged or cut off");
    let mut flipped = zip_of(&[("a.gpx", own("cerknicko-jezero.gpx").as_slice())]);
    flipped[5000] ^= 0xff;
    assert!(matches!(
        refused(&flipped, &options()),
        ImportError::Archive(_) | ImportError::Within { .. }
    ));
    // Two people, each in a file of their own.
    let patient =
        |id| format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\",\"birthDate\":\"1950\"}}");
    let two = zip_of(&[
        ("1.json", patient(1).as_bytes()),
        ("2.json", patient(2).as_bytes()),
    ]);
    let ImportError::Within { why, .. } = refused(&two, &options()) else {
        panic!("it is a file of the archive")
    };
    assert!(matches!(*why, ImportError::SeveralPeople { .. }));
    // What is not known is counted, archives within archives too.
    let (_folder, _, mut vault) = new_vault();
    let mixed = zip_of(&[
        ("photo.jpg", b"\xff\xd8\xff"),
        ("x/a.gpx", TRACK.as_bytes()),
        ("in.zip", &whole),
        ("empty", b""),
    ]);
    let report = bring(&mut vault, &mixed).expect("imported");
    assert_eq!((report.format, report.total_kept()), (Format::Zip, 1));
    assert_eq!(
        report.skipped.into_iter().collect::<Vec<_>>(),
        [("file of an unknown kind", 3)]
    );
}

#[test]
fn text_that_is_none() {
    let exported = "start_utc_s,end_utc_s,utc_offset_min,steps_count,source\n";
    let utf16: Vec<u8> = exported.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        refused(&[b"\xff\xfe".to_vec(), utf16].concat(), &options()),
        ImportError::Utf16
    );
    let csv_chosen = Options {
        format: Some(Format::Rows),
        ..options()
    };
    assert_eq!(refused(b"\xfe\xff\0a\0,", &csv_chosen), ImportError::Utf16);
    let open =
        format!("{exported}1600000000,1600000060,0,5,\"watch\n1600000100,1600000160,0,6,watch\n");
    assert_eq!(
        refused(open.as_bytes(), &options()),
        ImportError::OpenQuote { line: 2 }
    );
    assert_eq!(refused(b"", &options()), ImportError::EmptyFile);
    assert_eq!(
        refused(b"1600000000,5\n1600000001,6\n", &options()),
        ImportError::NeedsMapping
    );
    assert_eq!(
        refused(b"\0\0\0\0,\0", &options()),
        ImportError::UnknownFormat
    );
    let none = refused(exported.as_bytes(), &options()).to_string();
    assert_eq!(none, "no row was found to import; nothing was changed");
    let (_folder, _, mut vault) = new_vault();
    let mixed = [
        exported.as_bytes(),
        b"1600000000,1600000060,0,5,w\n",
        b"1600000000,1600000060,0,5,w\n",
        b"1600000000,1600000060,0,five,w\n",
        b"1600000000,1600000060,0,5\n",
        b"1600000000,1600000060,0,5,w,more\n",
        b"1600000000,1600000060,0,6,\xff\xfe\n",
        b"1600000000,1600000060,0,7,a\0b\n",
        b"1600000000,1600000060,0,-7,w\n",
        b"1600000060,1600000000,0,7,w\n",
        b"99999999999999999999,1600000000,0,7,w\n",
        b",1600000000,0,7,w\n",
        b"NaN,1600000000,0,7,w\n",
    ]
    .concat();
    let report = bring(&mut vault, &mixed).expect("imported");
    assert_eq!(
        (report.total_kept(), report.duplicate, report.unusable_cells),
        (2, 1, 1)
    );
    assert_eq!(
        report
            .skipped
            .iter()
            .map(|(why, many)| (*why, *many))
            .collect::<Vec<_>>(),
        [
            ("another number of cells than the first line", 2),
            ("ends before it begins", 1),
            ("incomplete", 1),
            ("not UTF-8 text", 1),
            ("not a number", 3),
            ("out of range", 1),
        ]
    );
    let said = format!("{:?}", report.faults);
    assert!(
        !said.contains("five") && !said.contains("16000"),
        "a value is shown: {said}"
    );
}

#[test]
fn a_file_that_changes_meanwhile() {
    let (folder, _, mut vault) = new_vault();
    let path = folder.path().join("growing.gpx");
    let point = "<trkpt lat=\"1\" lon=\"2\"><time>2020-01-01T00:00:00Z</time></trkpt>";
    let track = format!("<gpx>{}</gpx>", point.repeat(50_000));
    fs::write(&path, track).expect("written");
    let mut appended = false;
    let result = import(
        &mut vault,
        &fs::File::open(&path).expect("opened"),
        &options(),
        &mut |_| {
            if !std::mem::replace(&mut appended, true) {
                let mut file = fs::OpenOptions::new()
                    .append(true)
                    .open(&path)
                    .expect("opened");
                file.write_all(b"<!-- more -->").expect("written");
            }
        },
    );
    assert_eq!(result, Err(ImportError::Changed));
    assert_eq!(vault.held(), Ok(vec![]));
}

#[test]
fn a_kill_in_the_middle_leaves_nothing_half_done() {
    let (folder, path, mut vault) = new_vault();
    bring(&mut vault, TRACK.as_bytes()).expect("imported");
    let before = everything(&vault);
    let points: String = (0..60_000)
        .map(|n| {
            format!(
                "<trkpt lat=\"{}\" lon=\"2\"><time>2020-01-02T00:{:02}:{:02}Z</time></trkpt>",
                f64::from(n) / 1000.0,
                n / 60 % 60,
                n % 60
            )
        })
        .collect();
    let file = file_of(format!("<gpx>{points}</gpx>").as_bytes());
    let mut copies = 0;
    let report = import(&mut vault, &file, &options(), &mut |_| {
        copies += 1;
        let copy = folder.path().join(format!("copy{copies}"));
        fs::create_dir(&copy).expect("made");
        for suffix in ["", "-wal"] {
            let from = format!("{}{suffix}", path.display());
            fs::copy(from, copy.join(format!("vault.db{suffix}"))).expect("copied");
        }
    });
    assert_eq!(report.expect("imported").total_kept(), 60_000);
    assert!(copies >= 4, "{copies}");
    for number in 1..=copies {
        let copy = folder.path().join(format!("copy{number}/vault.db"));
        let killed = Vault::open(&copy, &key()).expect("opened");
        assert!(everything(&killed) == before && killed.imports().expect("read").len() == 1);
    }
}

#[test]
fn a_folder_that_may_not_be_written() {
    let (folder, path, vault) = new_vault();
    drop(vault);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("set");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).expect("set");
    let result = Vault::open(&path, &key())
        .map_err(ImportError::from)
        .and_then(|mut vault| bring(&mut vault, TRACK.as_bytes()));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("set");
    match result {
        // Who runs tests as root may write anywhere.
        Ok(_) => eprintln!("skipped: this account may write anywhere"),
        Err(why) => assert_eq!(why, ImportError::Vault(VaultError::ReadOnly)),
    }
}

#[test]
fn a_preview_changes_nothing() {
    let (_folder, _, mut vault) = new_vault();
    let preview = Options {
        preview: true,
        ..options()
    };
    let report = bring_with(&mut vault, TRACK.as_bytes(), &preview).expect("read");
    assert_eq!((report.import, report.total_kept()), (None, 1));
    assert_eq!((vault.held(), vault.imports()), (Ok(vec![]), Ok(vec![])));
}

#[test]
fn imports_are_remembered_and_undone_one_by_one() {
    let (_folder, path, mut vault) = new_vault();
    let first = bring(&mut vault, TRACK.as_bytes())
        .expect("imported")
        .import;
    let later = TRACK.replace("2020", "2021").replace(
        "</trkseg>",
        "<trkpt lat=\"x\" lon=\"1\"><time>2021-01-01</time></trkpt></trkseg>",
    );
    let second = bring(&mut vault, later.as_bytes())
        .expect("imported")
        .import;
    drop(vault);
    let mut vault = Vault::open(&path, &key()).expect("opened");
    let imports = vault.imports().expect("read");
    assert_eq!(
        imports.iter().map(|it| Some(it.import)).collect::<Vec<_>>(),
        [first, second]
    );
    assert_eq!(
        (
            imports[1].name.as_str(),
            imports[1].format.as_str(),
            imports[1].kept
        ),
        ("a file", "gpx", 1)
    );
    assert_eq!(imports[1].skipped, [("not a number".into(), 1)]);
    assert_eq!(rows(&vault, "daily_cells").len(), 2);
    vault.undo(1, 99).expect("undone");
    assert_eq!(vault.imports().expect("read")[0].undone_utc_s, Some(99));
    assert_eq!(rows(&vault, "positions").len(), 1);
    assert!(csv(&vault, "daily_cells").contains("18628,1.00,2.00,1"));
    for missing in [1, 3, -1] {
        assert_eq!(
            vault.undo(missing, 0),
            Err(ImportError::NoImport { import: missing })
        );
    }
    // What was undone can be brought back, under a new number.
    assert_eq!(
        bring(&mut vault, TRACK.as_bytes())
            .expect("imported")
            .import,
        Some(3)
    );
    let computed = vault
        .delete("daily_cells")
        .expect_err("it is computed")
        .to_string();
    assert_eq!(
        computed,
        "daily_cells is computed from positions and follows it; nothing was changed"
    );
    assert_eq!(vault.delete("positions"), Ok(2));
    assert!(rows(&vault, "daily_cells").is_empty());
    assert_eq!(
        vault.delete("positions"),
        Err(VaultError::NoTable("positions".into()).into())
    );
}

#[test]
fn a_profile_is_typed_in() {
    let (_folder, _, mut vault) = new_vault();
    assert_eq!(vault.profile(), Ok(vec![]));
    vault
        .set_profile(&[("job", "pilot"), ("birth-year", "1981")])
        .expect("set");
    vault
        .set_profile(&[("town", " Paris "), ("job", "")])
        .expect("set");
    let said = vec![
        ("birth_year", "1981".to_string()),
        ("town", "Paris".to_string()),
    ];
    assert_eq!(vault.profile(), Ok(said.clone()));
    for (change, part) in [
        (("shoe", "9"), "it has birth_year, sex"),
        (("sex", "x"), "female, male, other"),
        (("birth_year", "81"), "1850 to 2200"),
    ] {
        let why = vault
            .set_profile(&[change])
            .expect_err("refused")
            .to_string();
        assert!(why.contains(part), "{why}");
    }
    let patient = br#"{"resourceType":"Patient","id":"1","birthDate":"1952-06-05"}"#;
    let refused = bring(&mut vault, patient).expect_err("another");
    assert!(
        matches!(refused, ImportError::OtherOwner { .. }),
        "{refused}"
    );
    assert_eq!(vault.profile(), Ok(said));
    vault
        .set_profile(&[("town", ""), ("birth_year", "")])
        .expect("set");
    bring(&mut vault, patient).expect("imported");
    assert_eq!(vault.profile(), Ok(vec![("birth_year", "1952".into())]));
}

/// Files that importers read, to begin with.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        own("garmin-fenix-5-bike.fit"),
        own("MonitoringFile.fit"),
        own("stmtrs_euro.ofx"),
        TRACK.into(),
    ];
    seeds.push(zip_of(&[("a.gpx", TRACK.as_bytes())]));
    seeds.extend(
        [
            "apple_health_export_workout.xml",
            "greenbutton_electric_intervals.xml",
        ]
        .iter()
        .filter_map(|name| lent(name)),
    );
    seeds
}

#[test]
fn flipped_bytes_never_panic() {
    let seeds = seeds();
    let (_folder, _, vault) = new_vault();
    let vault = std::cell::RefCell::new(vault);
    let preview = Options {
        preview: true,
        ..options()
    };
    let flip = (any::<prop::sample::Index>(), any::<u8>());
    let cases = (
        any::<prop::sample::Index>(),
        prop::collection::vec(flip, 1..20),
    );
    TestRunner::new(Config::with_cases(400))
        .run(&cases, |(seed, flips)| {
            let mut bytes = seed.get(&seeds).clone();
            for (place, byte) in flips {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let mut vault = vault.borrow_mut();
            let _ = bring_with(&mut vault, &bytes, &preview);
            prop_assert_eq!(vault.held(), Ok(vec![]));
            Ok(())
        })
        .expect("never panics");
}
