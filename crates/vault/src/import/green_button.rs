//! Green Button: the Energy Services Provider Interface (ESPI, NAESB REQ.21) in Atom, as utilities export it.

use std::collections::BTreeMap;
use std::io::Read;

use crate::error::ImportError;
use crate::fault::{Place, Reason};
use crate::import::Source;
use crate::import::sink::{Cell, Sink};
use crate::import::xml::{Node, Xml};
use crate::time;

/// Most kinds of readings, and meters, of one file; the others are left out (a guess: a house has some).
const MAX_KINDS: usize = 100;

/// How the numbers of a meter are to be read.
#[derive(Debug, Clone, Default)]
struct Kind {
    unit: String,
    power: i32,
    flow: String,
    commodity: String,
    currency: String,
}

/// An entry of the feed, as far as it was read.
#[derive(Default)]
struct Entry {
    /// Its own address.
    own: String,
    /// The address of its kind of reading.
    kind: String,
    is_kind: bool,
    is_meter: bool,
    reading: Kind,
}

/// One reading.
#[derive(Default)]
struct Interval {
    start: String,
    duration: String,
    zone: String,
    value: String,
    cost: String,
}

#[derive(Default)]
struct Feed {
    kinds: BTreeMap<String, Kind>,
    /// The kind of reading of each meter.
    meters: BTreeMap<String, String>,
    entry: Entry,
    /// What the point of use is about: 0 electricity, 1 gas.
    service: String,
    /// Minutes ahead of UTC in winter.
    zone: Option<i64>,
}

pub(crate) fn read<R: Read>(source: Source<R>, sink: &mut Sink) -> Result<(), ImportError> {
    let mut xml = Xml::new(source)?;
    let mut feed = Feed::default();
    let mut interval: Option<(Place, Interval)> = None;
    loop {
        let place = xml.place();
        match xml.next()? {
            Node::Open(element) => match element.name() {
                "entry" => feed.entry = Entry::default(),
                "link" => {
                    let href = element.attribute("href").unwrap_or_default();
                    let href = href.into_owned();
                    feed.link(&element.attribute("rel").unwrap_or_default(), href);
                }
                "ReadingType" => feed.entry.is_kind = true,
                "MeterReading" => feed.entry.is_meter = true,
                "IntervalReading" => interval = Some((place, Interval::default())),
                _ => {}
            },
            Node::Close(name, text) if interval.is_some() => {
                let (at, reading) = interval.as_mut().expect("there is one");
                match name {
                    "start" => text.clone_into(&mut reading.start),
                    "duration" => text.clone_into(&mut reading.duration),
                    "timezone" => text.clone_into(&mut reading.zone),
                    "value" => text.clone_into(&mut reading.value),
                    "cost" => text.clone_into(&mut reading.cost),
                    "IntervalReading" => {
                        feed.keep(*at, reading, sink)?;
                        interval = None;
                    }
                    _ => {}
                }
            }
            Node::Close(name, text) => feed.close(name, text),
            Node::End => return Ok(()),
        }
    }
}

impl Feed {
    fn link(&mut self, relation: &str, href: String) {
        match relation {
            "self" => self.entry.own = href,
            "related" if href.contains("ReadingType") => self.entry.kind = href,
            _ => {}
        }
    }

    fn close(&mut self, name: &str, text: &str) {
        let kind = &mut self.entry.reading;
        match name {
            "uom" => text.clone_into(&mut kind.unit),
            "powerOfTenMultiplier" => kind.power = text.trim().parse().unwrap_or(0),
            "flowDirection" => text.clone_into(&mut kind.flow),
            "commodity" => text.clone_into(&mut kind.commodity),
            "currency" => text.clone_into(&mut kind.currency),
            "kind" => text.clone_into(&mut self.service),
            "tzOffset" => self.zone = text.trim().parse().ok().map(|seconds: i64| seconds / 60),
            "entry" => {
                let entry = std::mem::take(&mut self.entry);
                if entry.is_kind && self.kinds.len() < MAX_KINDS {
                    self.kinds.insert(entry.own, entry.reading);
                } else if entry.is_meter && self.meters.len() < MAX_KINDS {
                    self.meters.insert(entry.own, entry.kind);
                }
            }
            _ => {}
        }
    }

    /// How the numbers of the present entry are to be read: its meter's kind, or the only one that there is.
    fn kind(&self) -> Option<&Kind> {
        let (meter, _) = self.entry.own.split_once("/IntervalBlock")?;
        let named = self.meters.get(meter).and_then(|kind| self.kinds.get(kind));
        let only = || self.kinds.values().next().filter(|_| self.kinds.len() == 1);
        named.or_else(only)
    }

    fn keep(&self, place: Place, reading: &Interval, sink: &mut Sink) -> Result<(), ImportError> {
        let Some(kind) = self.kind() else {
            sink.skip(place, Reason::Missing("kind of meter"));
            return Ok(());
        };
        let times = reading
            .start
            .trim()
            .parse::<i64>()
            .ok()
            .zip(reading.duration.trim().parse::<i64>().ok());
        let (Some((start, seconds)), Ok(value)) = (times, reading.value.trim().parse::<f64>())
        else {
            sink.skip(place, Reason::NotANumber);
            return Ok(());
        };
        let Some(watt_hours) = kind.watt_hours(value, seconds) else {
            sink.skip(place, Reason::NoTable);
            return Ok(());
        };
        let zone = time::offset(reading.zone.trim())
            .flatten()
            .or(self.zone)
            .or(sink.zone());
        let cost = reading
            .cost
            .trim()
            .parse::<f64>()
            .ok()
            .map(|cost| cost / 100_000.0);
        let cells = [
            ("start_utc_s", Cell::Units(start)),
            ("end_utc_s", Cell::Units(start.saturating_add(seconds))),
            ("utc_offset_min", zone.map_or(Cell::Missing, Cell::Units)),
            ("commodity", Cell::Word(self.commodity(kind))),
            (
                "flow",
                Cell::Word(if kind.flow.trim() == "19" {
                    "given"
                } else {
                    "used"
                }),
            ),
            ("energy_wh", Cell::Float(watt_hours)),
            ("cost", cost.map_or(Cell::Missing, Cell::Float)),
            ("currency", Cell::Word(&kind.currency)),
            ("source", Cell::Word("Green Button")),
        ];
        sink.keep(place, "energy", &cells)
    }

    fn commodity(&self, kind: &Kind) -> &'static str {
        match (kind.commodity.trim(), self.service.trim(), kind.unit.trim()) {
            ("7", ..) | ("", "1", _) | ("", _, "169") => "gas",
            _ => "electricity",
        }
    }
}

impl Kind {
    /// The units of measure of ESPI in which energy is told.
    fn watt_hours(&self, value: f64, seconds: i64) -> Option<f64> {
        let one = match self.unit.trim() {
            // Watt-hours, therms, British thermal units, and watts for a while.
            "72" => 1.0,
            "169" => 29_307.107,
            "132" => 0.293_071_07,
            "38" => seconds as f64 / 3600.0,
            _ => return None,
        };
        (-30..=30)
            .contains(&self.power)
            .then(|| value * one * 10f64.powi(self.power))
    }
}
