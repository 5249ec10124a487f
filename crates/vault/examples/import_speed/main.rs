//! How fast imports are, and in what memory: grows a small file to the size that is asked for and imports it.
//!
//! `cargo run --release -p vault --example import_speed -- csv 1000` takes a format (csv, csv-wide, gpx, apple-health,
//! google-timeline, letterboxd, imdb, green-button, fit, fhir, ics, ofx) and megabytes; `csv-ride 1000 FILE` grows the ride
//! of FILE, whose columns are lat, lon, altitude, power, cadence, distance, speed and t_s.

#[path = "../../tests/common/fit.rs"]
mod fit;
mod grown;

use std::fs::{self, File};
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
        Some(sample) => grown::repeat(&path, &fs::read_to_string(sample)?, megabytes << 20)?,
        None => grown::grow(&path, &format, megabytes << 20)?,
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
        let (start, busy) = (Instant::now(), processor_s());
        let report = import(&mut vault, &File::open(&path)?, &options, &mut |_| {})?;
        let seconds = start.elapsed().as_secs_f64();
        let rows = report.total_kept() + report.duplicate;
        println!(
            "{format} (grown), {round}: {:.1} MB/s, {:.0} rows/s, {rows} rows in {seconds:.1} s, {:.1} s of both processors, \
             peak memory {} MB",
            report.bytes as f64 / 1e6 / seconds,
            rows as f64 / seconds,
            processor_s() - busy,
            peak_mb()
        );
    }
    Ok(())
}

/// The processor time that this process has taken, on all its threads: on a busy machine it says more than a clock.
fn processor_s() -> f64 {
    /// Of a second, as Linux counts for programs.
    const TICKS: f64 = 100.0;
    let status = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Its name, which may have spaces, ends with a bracket.
    let fields = status.rsplit(") ").next().unwrap_or_default();
    let ticks = fields.split(' ').skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS
}

/// The most memory that this process has held.
fn peak_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}
