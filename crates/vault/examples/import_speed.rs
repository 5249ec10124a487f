//! How fast imports are, and in what memory: grows a small file to the size that is asked for and imports it.
//!
//! `cargo run --release -p vault --example import_speed -- csv 1000` takes a format (csv, csv-wide, gpx, apple-health) and
//! megabytes; `csv-ride 1000 FILE` grows the ride of FILE, whose columns are lat, lon, altitude, power, cadence, distance,
//! speed and t_s.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::time::Instant;

use base::Rng;
use vault::{Mapping, Options, Vault, VaultKey, import};

/// For tables whose columns have other names.
const RIDE: &str = r#"
    table = "positions"
    columns.at_utc_s = { from = "t_s", time = "%s" }
    columns.latitude_deg.from = "lat"
    columns.longitude_deg.from = "lon"
    columns.altitude_m.from = "altitude"
    columns.speed_m_s.from = "speed"
"#;

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let format = arguments.next().unwrap_or_else(|| "csv".into());
    let megabytes: u64 = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("grown");
    let mapping: Option<Mapping> = match format.as_str() {
        "csv-ride" | "csv-wide" => Some(RIDE.parse()?),
        _ => None,
    };
    match arguments.next() {
        Some(sample) => repeat(&path, &fs::read_to_string(sample)?, megabytes << 20)?,
        None => grow(&path, &format, megabytes << 20)?,
    }
    let options = Options {
        mapping: mapping.as_ref(),
        ..Options::default()
    };
    let mut vault = Vault::create(
        &folder.path().join("vault.db"),
        &VaultKey::generate(&mut Rng::from_number(1)),
    )?;
    for round in ["new", "again"] {
        let start = Instant::now();
        let report = import(&mut vault, &File::open(&path)?, &options, &mut |_| {})?;
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
        // As programs write that log all sensors at once.
        "csv-wide" => (
            "t_s,lat,lon,altitude,speed,accel_x,accel_y,accel_z,gyro_x,gyro_y,gyro_z,mag_x,mag_y,mag_z,pressure,light,battery,note\n",
            "",
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
            "csv-wide" => {
                let (latitude, longitude) = (second % 10_000_000, second * 7 % 10_000_000);
                let (height, noise) = (300 + second % 90, second * 31 % 1000);
                format!(
                    "{at},46.{latitude:07},14.{longitude:07},{height}.5,2.{noise:03},0.{noise:03}123,-0.{noise:03}456,9.{noise:03}789,\
                     0.0{noise:03},0.1{noise:03},-0.2{noise:03},21.{noise:03},-4.{noise:03},43.{noise:03},1013.{noise:03},{noise},87,walking in the park\n"
                )
            }
            _ => format!("{at},60,{}.5,chest strap\n", 60 + second % 60),
        };
        out.write_all(line.as_bytes())?;
        written += line.len() as u64;
    }
    out.write_all(tail.as_bytes())?;
    out.flush()
}

/// Repeats the records of a ride, each a second after the one before.
fn repeat(path: &std::path::Path, sample: &str, bytes: u64) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let (head, records) = sample.split_once('\n').unwrap_or_default();
    writeln!(out, "{head}")?;
    let (mut written, mut at) = (0, 1_500_000_000u64);
    while written < bytes {
        for record in records.lines() {
            // The last column is the time.
            let (values, _) = record.rsplit_once(',').unwrap_or_default();
            let line = format!("{values},{at}\n");
            out.write_all(line.as_bytes())?;
            written += line.len() as u64;
            at += 1;
        }
    }
    out.flush()
}

/// The most memory that this process has held.
fn peak_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}
