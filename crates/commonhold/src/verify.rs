//! `commonhold question verify`: an answer checked by anyone, offline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use base::decode;
use community::Community;
use node::proof::{self, PROOF_BYTES_MAX};

use crate::cli::{ANSWERED, FAILED, VerifyOptions, fail};
use crate::config::{Environment, Typed, Values};
use crate::counted::counted;
use crate::home::{DESCRIPTOR, DESCRIPTOR_BYTES_MAX};
use crate::output::tell;
use crate::report::Report;

/// Runs the command.
pub fn main(options: &VerifyOptions) -> ExitCode {
    let beside = options.file.with_file_name(DESCRIPTOR);
    let descriptor = match &options.descriptor {
        Some(named) => named.clone(),
        None if beside.exists() => beside,
        None => own().unwrap_or(beside),
    };
    match verify(&options.file, &descriptor) {
        Ok(report) if options.json => {
            let mut json = serde_json::json!(report);
            json["holds"] = true.into();
            tell(format_args!("{json:#}"));
            ExitCode::from(ANSWERED)
        }
        Ok(report) => {
            tell(words(&report));
            ExitCode::from(ANSWERED)
        }
        Err(why) => {
            if options.json {
                let json = serde_json::json!({ "holds": false, "why": why });
                tell(format_args!("{json:#}"));
                return ExitCode::from(FAILED);
            }
            fail(false, &why, FAILED)
        }
    }
}

/// That of the community whose member the only node of this account is.
fn own() -> Option<PathBuf> {
    let values = Values::gather(&Typed::default(), &Environment::own()).ok()?;
    let own = values.config().ok()?.folder.join(DESCRIPTOR);
    own.exists().then_some(own)
}

fn verify(file: &Path, descriptor: &Path) -> Result<Report, String> {
    let read = |path: &Path, what: &str, limit: usize| {
        let hint = match what {
            "descriptor" => {
                "; name the community's descriptor with --descriptor FILE: each member's folder has it, and who gave you the proof"
            }
            _ => "",
        };
        let failed = |why: &dyn std::fmt::Display| {
            format!("cannot read the {what} {}: {why}{hint}", path.display())
        };
        let len = fs::metadata(path).map_err(|why| failed(&why))?.len();
        if len > limit as u64 {
            return Err(failed(&format!(
                "{} more than any has",
                counted(len, "byte is", "bytes are")
            )));
        }
        fs::read(path).map_err(|why| failed(&why))
    };
    let proof = read(file, "proof", PROOF_BYTES_MAX)?;
    let bytes = read(descriptor, "descriptor", DESCRIPTOR_BYTES_MAX)?;
    let signed = decode(&bytes, DESCRIPTOR_BYTES_MAX);
    let community = signed
        .map_err(|why| why.to_string())
        .and_then(|signed| Community::open(signed).map_err(|why| why.to_string()))
        .map_err(|why| format!("{} is no descriptor: {why}", descriptor.display()))?;
    let verified = proof::verify(&proof, &Arc::new(community)).map_err(|why| {
        format!(
            "{} does not hold. {why}. Do not rely on it; ask whoever gave it to you for the original.",
            file.display()
        )
    })?;
    Ok(Report::of(&verified))
}

fn words(report: &Report) -> String {
    let Report {
        question,
        purpose,
        asker,
        asked_at,
        closed_at,
        min_crowd,
        padding_allowance,
        lanes,
        replicas,
        k,
        checks,
        ..
    } = report;
    let groups = report.table();
    let groups = groups.iter().map(|group| format!("            {group}"));
    let mut lines = vec![
        format!(
            "The proof holds: {} checked.",
            counted(checks, "signature", "signatures")
        ),
        format!("  question  {question}"),
        format!("  purpose   {purpose}"),
        format!("  answer    {}", report.answer()),
    ];
    lines.extend(groups);
    lines.extend([
        format!("  people    {}", report.people()),
        format!("  proofs    {}", report.proofs()),
        format!("  crowd     at least {min_crowd} + {padding_allowance} must match, else nothing is given"),
        format!(
            "  helpers   {} of {replicas}, drawn before {}",
            counted(lanes, "lane", "lanes"),
            counted(k, "witness", "witnesses")
        ),
        format!("  bounds    {}", report.bounds()),
        format!("  asker     {asker}"),
        format!("  time      asked {}, closed {}", utc(*asked_at), utc(*closed_at)),
        "            (nobody but the signers vouches for the time)".to_owned(),
    ]);
    lines.join("\n")
}

/// A moment in the calendar, UTC.
pub fn utc(secs: u64) -> String {
    let rest = secs % 86_400;
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let date = date(secs.cast_signed());
    format!("{date} {hour:02}:{minute:02}:{second:02} UTC")
}

/// Its day, UTC, as 2024-05-01. Days to civil date as in Hinnant, "chrono-compatible low-level date algorithms".
pub fn date(secs: i64) -> String {
    let shifted = secs.div_euclid(86_400) + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(1_800_000_000), "2027-01-15 08:00:00 UTC");
        assert_eq!(utc(1_709_251_199), "2024-02-29 23:59:59 UTC");
        for (secs, shown) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400, "2000-02-29"),
            (951_868_799, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_763_000_000, "2025-11-13"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(secs), shown);
        }
    }
}
