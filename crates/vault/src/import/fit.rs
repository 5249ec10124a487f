//! FIT, the files of Garmin's and others' watches: activities, and days as the watch counted them.

use std::collections::BTreeMap;
use std::io::Read;

use fitparser::de::{FitDataMessage, FitObject, FitStreamProcessor};
use fitparser::profile::MesgNum;
use fitparser::{FitDataRecord, Value};

use crate::error::ImportError;
use crate::fault::{Place, Reason};
use crate::import::input::{Budget, fill};
use crate::import::sink::{Cell, Named, Sink};

/// Longest of the files that may follow each other in one; each is taken whole, since an activity tells at its end how far
/// its clock was ahead. A day of riding has 1 MB.
const MAX_FILE: u64 = 32 << 20;

/// Shortest head of a file.
const HEAD: usize = 12;

/// Bytes that are read at once.
const PIECE: usize = 1 << 16;

/// Degrees of one unit of a position: half a turn is 2^31 of them.
const SEMICIRCLE: f64 = 180.0 / 2_147_483_648.0;

/// Steps of a walk that one cycle is, which FIT counts by one leg.
const STEPS_PER_CYCLE: f64 = 2.0;

/// Records become positions and heart rates, sessions activities, and what is monitored of a day steps and heart rates.
pub(crate) fn read(
    mut input: impl Read,
    budget: &Budget,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let (mut at, mut number) = (0, 0);
    while let Some(bytes) = next(&mut input, budget, at)? {
        let mut day = Day {
            ahead: clock(&bytes, at)?,
            ..Day::default()
        };
        let mut messages = Messages::of(&bytes, at);
        while let Some(message) = messages.next()? {
            let message = messages.decode(message)?;
            number += 1;
            day.place = Some(Place::Record(number));
            match message.kind() {
                MesgNum::Record => day.record(&message, sink)?,
                MesgNum::Session => day.session(&message, sink)?,
                MesgNum::MonitoringInfo => day.last = time(&message, "timestamp").or(day.last),
                MesgNum::Monitoring => day.monitoring(&message, sink)?,
                _ => {}
            }
        }
        at += bytes.len() as u64;
    }
    Ok(())
}

/// The next file, of which several may follow each other, as long as its head says; `at` is where it begins.
fn next(input: &mut impl Read, budget: &Budget, at: u64) -> Result<Option<Vec<u8>>, ImportError> {
    let mut bytes = vec![0; HEAD];
    budget.renew();
    let filled = fill(input, &mut bytes)?;
    let truncated = |filled: usize| ImportError::Truncated {
        place: Place::Byte(at + filled as u64),
    };
    match filled {
        0 => return Ok(None),
        HEAD => {}
        _ => return Err(truncated(filled)),
    }
    if bytes[8..12] != *b".FIT" {
        return Err(ImportError::Malformed {
            place: Place::Byte(at),
            what: "here no FIT recording begins",
        });
    }
    let data = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    // The data is followed by a checksum of two bytes.
    let length = u64::from(bytes[0]) + u64::from(data) + 2;
    if length > MAX_FILE {
        return Err(ImportError::Malformed {
            place: Place::Byte(at),
            what: "a recording of more than 32 MB, which is a month of riding",
        });
    }
    if length < HEAD as u64 {
        return Err(damaged(at));
    }
    let mut filled = HEAD;
    bytes.resize(length as usize, 0);
    for piece in bytes[HEAD..].chunks_mut(PIECE) {
        budget.renew();
        let more = fill(input, piece)?;
        filled += more;
        if more < piece.len() {
            return Err(truncated(filled));
        }
    }
    Ok(Some(bytes))
}

/// Minutes that the watch's clock was ahead, which activities tell at their end. Before that, nothing is decoded but what
/// later messages are read by.
fn clock(bytes: &[u8], at: u64) -> Result<Option<i64>, ImportError> {
    const DECODED: [MesgNum; 4] = [
        MesgNum::Activity,
        MesgNum::MonitoringInfo,
        MesgNum::TimestampCorrelation,
        MesgNum::FieldDescription,
    ];
    let mut messages = Messages::of(bytes, at);
    while let Some(message) = messages.next()? {
        if DECODED.contains(&message.global_message_number().into())
            && let Some(ahead) = ahead(&messages.decode(message)?)
        {
            return Ok(Some(ahead));
        }
    }
    Ok(None)
}

fn damaged(at: u64) -> ImportError {
    ImportError::Malformed {
        place: Place::Byte(at),
        what: "a FIT file that is damaged or cut off",
    }
}

/// The messages of a file, one after the other.
struct Messages<'a> {
    processor: FitStreamProcessor,
    rest: &'a [u8],
    /// Where the file begins.
    at: u64,
}

impl<'a> Messages<'a> {
    fn of(bytes: &'a [u8], at: u64) -> Self {
        Self {
            processor: FitStreamProcessor::new(),
            rest: bytes,
            at,
        }
    }

    fn next(&mut self) -> Result<Option<FitDataMessage>, ImportError> {
        while !self.rest.is_empty() {
            let next = self.processor.deserialize_next(self.rest);
            let (rest, object) = next.map_err(|_| damaged(self.at))?;
            self.rest = rest;
            if let FitObject::DataMessage(message) = object {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// What the message says, by the names of FIT's profile.
    fn decode(&mut self, message: FitDataMessage) -> Result<FitDataRecord, ImportError> {
        let decoded = self.processor.decode_message(message);
        decoded.map_err(|_| damaged(self.at))
    }
}

/// What is carried from one message to the next.
#[derive(Default)]
struct Day {
    place: Option<Place>,
    /// Minutes that the watch's clock is ahead of UTC.
    ahead: Option<i64>,
    /// The last full time of what is monitored, whose messages carry 16 bits of it.
    last: Option<i64>,
    /// Since when, and how far, cycles of each kind were counted.
    counted: BTreeMap<String, (i64, f64)>,
}

impl Day {
    fn cells<'a>(&self, at: i64) -> Vec<Named<'a>> {
        let ahead = self.ahead.map_or(Cell::Missing, Cell::Units);
        vec![
            ("at_utc_s", Cell::Units(at)),
            ("utc_offset_min", ahead),
            ("source", Cell::Word("FIT")),
        ]
    }

    fn place(&self) -> Place {
        self.place.expect("a message is being read")
    }

    fn record(&self, message: &FitDataRecord, sink: &mut Sink) -> Result<(), ImportError> {
        let Some(at) = time(message, "timestamp") else {
            sink.skip(self.place(), Reason::NotATime);
            return Ok(());
        };
        let read = |names: &[&str]| names.iter().find_map(|name| number(message, name));
        if let Some((latitude, longitude)) = read(&["position_lat"]).zip(read(&["position_long"])) {
            let optional = |number: Option<f64>| number.map_or(Cell::Missing, Cell::Float);
            let mut cells = self.cells(at);
            cells.extend([
                ("latitude_deg", Cell::Float(latitude * SEMICIRCLE)),
                ("longitude_deg", Cell::Float(longitude * SEMICIRCLE)),
                (
                    "altitude_m",
                    optional(read(&["enhanced_altitude", "altitude"])),
                ),
                ("accuracy_m", optional(read(&["gps_accuracy"]))),
                ("speed_m_s", optional(read(&["enhanced_speed", "speed"]))),
            ]);
            sink.keep(self.place(), "positions", &cells)?;
        }
        self.heartbeat(at, read(&["heart_rate"]), sink)
    }

    fn heartbeat(&self, at: i64, rate: Option<f64>, sink: &mut Sink) -> Result<(), ImportError> {
        let Some(rate) = rate.filter(|rate| *rate > 0.0) else {
            return Ok(());
        };
        let mut cells = self.cells(at);
        cells.push(("heart_rate_bpm", Cell::Float(rate)));
        sink.keep(self.place(), "heart_rate", &cells)
    }

    fn session(&self, message: &FitDataRecord, sink: &mut Sink) -> Result<(), ImportError> {
        let Some(start) = time(message, "start_time") else {
            sink.skip(self.place(), Reason::NotATime);
            return Ok(());
        };
        let read = |name| number(message, name);
        let optional = |name| read(name).map_or(Cell::Missing, Cell::Float);
        let elapsed = read("total_elapsed_time")
            .or(read("total_timer_time"))
            .unwrap_or(0.0);
        let sport = text(message, "sport").unwrap_or("unknown");
        let cells = [
            ("start_utc_s", Cell::Units(start)),
            (
                "end_utc_s",
                Cell::Units(start.saturating_add(elapsed.round() as i64)),
            ),
            (
                "utc_offset_min",
                self.ahead.map_or(Cell::Missing, Cell::Units),
            ),
            ("activity", Cell::Word(sport)),
            ("duration_s", optional("total_timer_time")),
            ("distance_m", optional("total_distance")),
            ("energy_kcal", optional("total_calories")),
            ("average_heart_rate_bpm", optional("avg_heart_rate")),
            ("source", Cell::Word("FIT")),
        ];
        sink.keep(self.place(), "activities", &cells)
    }

    /// Cycles are counted from midnight or from when the watch was put on; what was counted since the message before is a
    /// row of steps.
    fn monitoring(&mut self, message: &FitDataRecord, sink: &mut Sink) -> Result<(), ImportError> {
        let at = time(message, "timestamp").or_else(|| self.completed(message));
        let Some(at) = at else {
            sink.skip(self.place(), Reason::NotATime);
            return Ok(());
        };
        let since = self.last.replace(at).unwrap_or(at);
        self.heartbeat(at, number(message, "heart_rate"), sink)?;
        let kind = text(message, "activity_type").unwrap_or_default();
        let steps = number(message, "steps");
        let steps = steps.or_else(|| number(message, "cycles").map(|it| it * STEPS_PER_CYCLE));
        let Some(steps) = steps.filter(|_| matches!(kind, "walking" | "running")) else {
            return Ok(());
        };
        let before = self.counted.insert(kind.to_owned(), (at, steps));
        let (from, more) = match before {
            Some((from, before)) if before <= steps => (from, steps - before),
            Some((from, _)) => (from, steps),
            None => (since, steps),
        };
        if more <= 0.0 {
            return Ok(());
        }
        let cells = [
            ("start_utc_s", Cell::Units(from)),
            ("end_utc_s", Cell::Units(at)),
            (
                "utc_offset_min",
                self.ahead.map_or(Cell::Missing, Cell::Units),
            ),
            ("steps_count", Cell::Float(more)),
            ("source", Cell::Word("FIT")),
        ];
        sink.keep(self.place(), "steps", &cells)
    }

    /// The time of which the message has the last 16 bits, counted from 1989 as FIT does.
    fn completed(&self, message: &FitDataRecord) -> Option<i64> {
        const FIT_EPOCH: i64 = 631_065_600;
        let short = number(message, "timestamp_16")? as i64;
        let last = self.last? - FIT_EPOCH;
        Some(last + (short - last).rem_euclid(1 << 16) + FIT_EPOCH)
    }
}

fn value<'a>(message: &'a FitDataRecord, name: &str) -> Option<&'a Value> {
    let field = message.fields().iter().find(|field| field.name() == name);
    field.map(fitparser::FitDataField::value)
}

fn time(message: &FitDataRecord, name: &str) -> Option<i64> {
    match value(message, name)? {
        Value::Timestamp(time) => Some(time.timestamp()),
        _ => None,
    }
}

fn text<'a>(message: &'a FitDataRecord, name: &str) -> Option<&'a str> {
    match value(message, name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn number(message: &FitDataRecord, name: &str) -> Option<f64> {
    Some(match *value(message, name)? {
        Value::Byte(it) | Value::Enum(it) | Value::UInt8(it) | Value::UInt8z(it) => f64::from(it),
        Value::SInt8(it) => f64::from(it),
        Value::SInt16(it) => f64::from(it),
        Value::UInt16(it) | Value::UInt16z(it) => f64::from(it),
        Value::SInt32(it) => f64::from(it),
        Value::UInt32(it) | Value::UInt32z(it) => f64::from(it),
        Value::Float32(it) => f64::from(it),
        Value::Float64(it) => it,
        Value::SInt64(it) => it as f64,
        Value::UInt64(it) | Value::UInt64z(it) => it as f64,
        Value::Timestamp(_) | Value::String(_) | Value::Array(_) | Value::Invalid => return None,
    })
}

/// Minutes that local time was ahead, from a message that tells both times.
fn ahead(message: &FitDataRecord) -> Option<i64> {
    let minutes = (time(message, "local_timestamp")? - time(message, "timestamp")?) / 60;
    (-1080..=1080).contains(&minutes).then_some(minutes)
}
