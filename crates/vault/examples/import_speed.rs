//! How fast imports are, and in what memory: grows a small file to the size that is asked for and imports it.
//!
//! `cargo run --release -p vault --example import_speed -- csv 1000` takes a format (csv, gpx, apple-health) and megabytes.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::time::Instant;

use base::Rng;
use vault::{Options, Vault, VaultKey, import};

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let format = arguments.next().unwrap_or_else(|| "csv".into());
    let megabytes: u64 = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("grown");
    grow(&path, &format, megabytes << 20)?;
    let mut vault = Vault::create(
        &folder.path().join("vault.db"),
        &VaultKey::generate(&mut Rng::from_number(1)),
    )?;
    for round in ["new", "again"] {
        let start = Instant::now();
        let report = import(
            &mut vault,
            &File::open(&path)?,
            &Options::default(),
            &mut |_| {},
        )?;
        let seconds = start.elapsed().as_secs_f64();
        let rows = report.total_kept() + report.duplicate;
        println!(
            "{format} (grown), {round}: {:.1} MB/s, {:.0} rows/s, {rows} rows in {seconds:.1} s, peak memory {} MB",
            report.bytes as f64 / 1e6 / seconds,
            rows as f64 / seconds,
            peak_mb()
        );
    }
    Ok(())
}

/// Writes such a file of at least so many bytes, with a record for each second.
fn grow(path: &std::path::Path, format: &str, bytes: u64) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let (head, tail) = match format {
        "gpx" => (
            "<gpx creator=\"Watch\"><trk><trkseg>\n",
            "</trkseg></trk></gpx>\n",
        ),
        "apple-health" => (
            "<?xml version=\"1.0\"?>\n<HealthData locale=\"en_GB\">\n",
            "</HealthData>\n",
        ),
        _ => ("at_utc_s,utc_offset_min,heart_rate_bpm,source\n", ""),
    };
    let mut written = out.write(head.as_bytes())? as u64;
    for second in 0i64.. {
        if written >= bytes {
            break;
        }
        let at = 1_500_000_000 + second;
        let (day, time) = (
            17_361 + (second + 9_600) / 86_400,
            (second + 9_600) % 86_400,
        );
        let (hour, minute, s) = (time / 3600, time / 60 % 60, time % 60);
        let date = format!(
            "{:04}-{:02}-{:02}",
            2017 + (day - 17_361) / 336,
            (day - 17_361) / 28 % 12 + 1,
            (day - 17_361) % 28 + 1
        );
        let line = match format {
            "gpx" => format!(
                "<trkpt lat=\"46.{:07}\" lon=\"14.{:07}\"><ele>{}</ele><time>{date}T{hour:02}:{minute:02}:{s:02}Z</time></trkpt>\n",
                second % 10_000_000,
                second * 7 % 10_000_000,
                300 + second % 90
            ),
            "apple-health" => format!(
                "<Record type=\"HKQuantityTypeIdentifierHeartRate\" sourceName=\"Watch\" sourceVersion=\"9.1\" device=\"&lt;&lt;HKDevice: 0x28&gt;, name:Watch&gt;\" unit=\"count/min\" creationDate=\"{date} {hour:02}:{minute:02}:{s:02} +0100\" startDate=\"{date} {hour:02}:{minute:02}:{s:02} +0100\" endDate=\"{date} {hour:02}:{minute:02}:{s:02} +0100\" value=\"{}\"/>\n",
                60 + second % 60
            ),
            _ => format!("{at},60,{}.5,chest strap\n", 60 + second % 60),
        };
        out.write_all(line.as_bytes())?;
        written += line.len() as u64;
    }
    out.write_all(tail.as_bytes())?;
    out.flush()
}

/// The most memory that this process has held.
fn peak_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}
