//! What a file is, by what is in it. Its name says nothing.

use std::fmt;
use std::io::Read;
use std::str::FromStr;

use crate::error::ImportError;
use crate::import::encoding::beginning;
use crate::import::input::fill;
use crate::import::rows_again;
use crate::rows::has_controls;

/// Bytes that are looked at.
pub(crate) const HEAD: usize = 1 << 16;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// A table with a header, with a mapping into the vocabulary.
    Csv,
    /// What this vault exports, as CSV.
    Rows,
    /// What this vault exports, as JSON.
    RowsJson,
    /// Tracks of positions.
    Gpx,
    /// Apple Health's `export.xml`.
    AppleHealth,
    /// Google's location history: the telephone's `Timeline.json`, `Records.json`, Semantic Location History.
    GoogleTimeline,
    /// Letterboxd's `ratings.csv`.
    Letterboxd,
    /// IMDb's `ratings.csv`.
    Imdb,
    /// Green Button: ESPI in Atom.
    GreenButton,
    /// Garmin's FIT.
    Fit,
    /// FHIR R4 as JSON: resources, bundles, or one resource a line.
    Fhir,
    /// iCalendar.
    Ics,
    /// Open Financial Exchange, 1 and 2.
    Ofx,
    /// An archive of such files.
    Zip,
}

/// What is no name of a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no format \"{name}\"; there are {}", names())]
pub struct UnknownFormat {
    name: String,
}

const FORMATS: [(Format, &str); 14] = [
    (Format::Csv, "csv"),
    (Format::Rows, "commonhold-csv"),
    (Format::RowsJson, "commonhold-json"),
    (Format::Gpx, "gpx"),
    (Format::AppleHealth, "apple-health"),
    (Format::GoogleTimeline, "google-timeline"),
    (Format::Letterboxd, "letterboxd"),
    (Format::Imdb, "imdb"),
    (Format::GreenButton, "green-button"),
    (Format::Fit, "fit"),
    (Format::Fhir, "fhir"),
    (Format::Ics, "ics"),
    (Format::Ofx, "ofx"),
    (Format::Zip, "zip"),
];

fn names() -> String {
    FORMATS.map(|(_, name)| name).join(", ")
}

impl Format {
    /// Its name for people and programs.
    pub fn name(self) -> &'static str {
        let found = FORMATS.iter().find(|(format, _)| *format == self);
        found.expect("each is listed").1
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let found = FORMATS.iter().find(|(_, name)| *name == text);
        let format = found.map(|(format, _)| *format);
        format.ok_or_else(|| UnknownFormat {
            name: text.chars().take(64).flat_map(char::escape_debug).collect(),
        })
    }
}

/// What the file is.
pub(crate) fn detect(input: &mut impl Read) -> Result<Format, ImportError> {
    let mut head = vec![0; HEAD];
    let filled = fill(input, &mut head)?;
    of(&head[..filled])
}

/// What a file with this beginning is.
pub(crate) fn of(head: &[u8]) -> Result<Format, ImportError> {
    if head.is_empty() {
        return Err(ImportError::EmptyFile);
    }
    if matches!(
        head,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'<', 0, ..] | [0, b'<', ..]
    ) {
        // Readers of XML alone read that.
        return match of(&beginning(head)) {
            Ok(format @ (Format::Gpx | Format::AppleHealth | Format::GreenButton)) => Ok(format),
            _ => Err(ImportError::Utf16),
        };
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Ok(Format::Zip);
    }
    if head.get(8..12) == Some(b".FIT") {
        return Ok(Format::Fit);
    }
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    let found = match text.first() {
        Some(b'<') => marked(text, &IN_XML),
        Some(b'{' | b'[') => marked(text, &IN_JSON),
        _ if text.starts_with(b"OFXHEADER") => Some(Format::Ofx),
        _ if text.len() >= 15 && text[..15].eq_ignore_ascii_case(b"BEGIN:VCALENDAR") => {
            Some(Format::Ics)
        }
        _ => table(text),
    };
    found.ok_or(ImportError::UnknownFormat)
}

/// What is XML, and has this in it.
const IN_XML: [(&str, Format); 10] = [
    ("<gpx", Format::Gpx),
    ("<HealthData", Format::AppleHealth),
    ("http://naesb.org/espi", Format::GreenButton),
    ("<OFX>", Format::Ofx),
    ("<?OFX", Format::Ofx),
    // With a name for its space.
    (":gpx ", Format::Gpx),
    (":gpx\n", Format::Gpx),
    (":gpx\r", Format::Gpx),
    (":gpx\t", Format::Gpx),
    (":gpx>", Format::Gpx),
];

/// What is JSON, and has this in it.
const IN_JSON: [(&str, Format); 8] = [
    (rows_again::SIGN, Format::RowsJson),
    ("\"resourceType\"", Format::Fhir),
    ("\"semanticSegments\"", Format::GoogleTimeline),
    ("\"rawSignals\"", Format::GoogleTimeline),
    ("\"timelineObjects\"", Format::GoogleTimeline),
    ("\"locations\"", Format::GoogleTimeline),
    ("\"timelinePath\"", Format::GoogleTimeline),
    ("\"topCandidate\"", Format::GoogleTimeline),
];

/// The first of these that it has.
fn marked(text: &[u8], known: &[(&str, Format)]) -> Option<Format> {
    let has = |mark: &str| text.windows(mark.len()).any(|part| part == mark.as_bytes());
    let found = known.iter().find(|(mark, _)| has(mark));
    found.map(|(_, format)| *format)
}

/// A table with a header, if it is one whose columns are known.
fn table(text: &[u8]) -> Option<Format> {
    let line = text.split(|&byte| byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.trim_end();
    if has_controls(line) {
        return None;
    }
    let starts = |known: &str| line.starts_with(known);
    if starts("Date,Name,Year,Letterboxd URI,Rating") {
        return Some(Format::Letterboxd);
    }
    if starts("Const,Your Rating,Date Rated,Title") {
        return Some(Format::Imdb);
    }
    if rows_again::table_of(line).is_some() {
        return Some(Format::Rows);
    }
    // What is one word a line could be anything.
    line.contains([',', ';', '\t']).then_some(Format::Csv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_files_by_what_is_in_them() {
        let cases: [(&[u8], Format); 18] = [
            (b"PK\x03\x04....", Format::Zip),
            (b"\x0e\x10\x00\x00\x00\x00\x00\x00.FIT", Format::Fit),
            (b"OFXHEADER:100\n", Format::Ofx),
            (
                b"<?xml version=\"1.0\"?>\n<?OFX OFXHEADER=\"200\"?>\n<OFX>",
                Format::Ofx,
            ),
            (b"\xef\xbb\xbf\r\nBEGIN:VCALENDAR\r\n", Format::Ics),
            (b"<?xml version='1.0'?><gpx version='1.1'>", Format::Gpx),
            (b"<?xml version='1.0'?><g:gpx xmlns:g='x'>", Format::Gpx),
            (b"<g:gpx\n\txmlns:g='x'>", Format::Gpx),
            (b"\xff\xfe<\0g\0p\0x\0>\0", Format::Gpx),
            (
                b"<!DOCTYPE HealthData [ ]><HealthData>",
                Format::AppleHealth,
            ),
            (
                b"<feed xmlns:espi=\"http://naesb.org/espi\">",
                Format::GreenButton,
            ),
            (b"{\"resourceType\":\"Bundle\"", Format::Fhir),
            (b"{\n  \"semanticSegments\": [", Format::GoogleTimeline),
            (b"{\"locations\": [{", Format::GoogleTimeline),
            (
                b"[{\"endTime\": 1, \"activity\": {\"topCandidate\": ",
                Format::GoogleTimeline,
            ),
            (
                b"Date,Name,Year,Letterboxd URI,Rating\n",
                Format::Letterboxd,
            ),
            (
                b"Const,Your Rating,Date Rated,Title,Original Title,URL\r\n",
                Format::Imdb,
            ),
            (b"a,b\n1,2\n", Format::Csv),
        ];
        for (head, format) in cases {
            assert_eq!(of(head), Ok(format), "{}", String::from_utf8_lossy(head));
            assert_eq!(format.name().parse(), Ok(format));
        }
    }

    #[test]
    fn says_when_it_does_not_know() {
        for head in [
            &b"\x7fELF\x00\x00\x00\x00,"[..],
            b"<html>",
            b"{\"a\":1}",
            b"hello",
            b"\xff\xd8\xff",
            b" ",
        ] {
            assert_eq!(of(head), Err(ImportError::UnknownFormat));
        }
        assert_eq!(of(b""), Err(ImportError::EmptyFile));
        assert_eq!(of(b"\xff\xfea\0,\0"), Err(ImportError::Utf16));
        let refused = "exe".parse::<Format>().expect_err("unknown").to_string();
        assert!(refused.contains("apple-health"), "{refused}");
    }
}
