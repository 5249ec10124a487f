//! How long the local part of a question takes over many rows of one owner.
//!
//! `cargo run --release -p vault --example question_speed -- 1000000` takes how many rows.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::time::Instant;

use base::Rng;
use question::Question;
use vault::{Options, Vault, VaultKey, import, vocabulary};

/// What is asked. A question is about one row of each person: several are brought together first.
const ASKED: [&str; 3] = [
    "SELECT AVG(m) FROM (SELECT AVG(heart_rate_bpm) AS m FROM heart_rate)",
    "SELECT AVG(m) FROM (SELECT MAX(heart_rate_bpm) AS m FROM heart_rate WHERE source = 'chest strap')",
    "SELECT COUNT(*) FROM (SELECT COUNT(*) AS n FROM heart_rate WHERE heart_rate_bpm > 100) WHERE n > 10",
];

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows: i64 = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("vault.db");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let mut file = tempfile::tempfile()?;
    write(&mut file, rows)?;
    file.rewind()?;
    let mut vault = Vault::create(&path, &key)?;
    import(&mut vault, &file, &Options::default(), &mut |_| {})?;
    drop(vault);
    let tables: Vec<_> = vocabulary().map(|shape| shape.table()).collect();
    for sql in ASKED {
        let question = Question::parse(sql, &tables, 100)?;
        // Nothing is in memory the first time.
        let vault = Vault::open(&path, &key)?;
        let (mut took, mut busy) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let (start, before) = (Instant::now(), processor_s());
            vault.answer(&question)?;
            took.push(start.elapsed().as_secs_f64() * 1e3);
            busy.push((processor_s() - before) * 1e3);
        }
        let (first, first_busy) = (took[0], busy[0]);
        took.sort_by(f64::total_cmp);
        busy.sort_by(f64::total_cmp);
        println!(
            "{rows} rows: {first:.0} ms the first time, {first_busy:.0} of the processor; {:.0} ms in the middle of five, {:.0} of \
             the processor: {sql}",
            took[2], busy[2]
        );
    }
    Ok(())
}

/// The processor time that this thread has taken: on a busy machine it says more than a clock.
fn processor_s() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|it| it.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e9
}

/// A record for each second.
fn write(file: &mut File, rows: i64) -> std::io::Result<()> {
    let mut out = BufWriter::new(file);
    writeln!(out, "at_utc_s,utc_offset_min,heart_rate_bpm,source")?;
    for row in 0..rows {
        writeln!(
            out,
            "{},60,{}.5,chest strap",
            1_500_000_000 + row,
            60 + row % 60
        )?;
    }
    out.flush()
}
