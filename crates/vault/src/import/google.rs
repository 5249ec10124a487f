//! Google's location history: what a telephone exports (`Timeline.json`, of Android and of iOS), and what Google's servers
//! gave out before (`Records.json`, Semantic Location History).

use std::io::Read;

use serde_json::Value;

use crate::error::ImportError;
use crate::fault::{Place, Reason};
use crate::import::Source;
use crate::import::json::{Piece, pieces};
use crate::import::sink::{Cell, Sink, offset};
use crate::time::Moment;

/// Ten-millionths of a degree.
type Degrees = (Option<i64>, Option<i64>);

const LISTS: [&str; 4] = [
    "semanticSegments",
    "rawSignals",
    "locations",
    "timelineObjects",
];

pub(crate) fn read<R: Read>(source: Source<R>, sink: &mut Sink) -> Result<(), ImportError> {
    let mut number = 0;
    pieces(source, &LISTS, false, &mut |piece| {
        let Piece::Element(list, value) = piece else {
            return Ok(());
        };
        number += 1;
        let place = Place::Record(number);
        match list.as_str() {
            "rawSignals" => signal(place, &value, sink),
            "locations" => location(place, &value, sink),
            "timelineObjects" => object(place, &value, sink),
            _ => segment(place, &value, sink),
        }
    })
}

/// A position of `Records.json`.
fn location(place: Place, value: &Value, sink: &mut Sink) -> Result<(), ImportError> {
    let time = time(value, "timestamp", sink);
    let at = e7(value);
    position(place, time, at, Some(value), sink)
}

/// A position of the telephone; what it heard of networks around is left out.
fn signal(place: Place, value: &Value, sink: &mut Sink) -> Result<(), ImportError> {
    let Some(found) = value.get("position") else {
        sink.skip(place, Reason::NoTable);
        return Ok(());
    };
    let at = degrees(
        text(found, "LatLng")
            .or(text(found, "latLng"))
            .unwrap_or_default(),
    );
    position(place, time(found, "timestamp", sink), at, Some(found), sink)
}

/// A part of the telephone's timeline: a way, a visit, or the path between.
fn segment(place: Place, value: &Value, sink: &mut Sink) -> Result<(), ImportError> {
    let (start, end) = (time(value, "startTime", sink), time(value, "endTime", sink));
    let ahead = value
        .get("startTimeTimezoneUtcOffsetMinutes")
        .and_then(Value::as_i64);
    let local = |moment: Option<Moment>| {
        moment.map(|moment| Moment {
            offset_min: ahead.or(moment.offset_min),
            ..moment
        })
    };
    let (start, end) = (local(start), local(end));
    if let Some(way) = value.get("activity") {
        let mode = way.get("topCandidate").and_then(|it| text(it, "type"));
        let from = way.get("start").map_or((None, None), point);
        let to = way.get("end").map_or((None, None), point);
        let metres = way.get("distanceMeters").and_then(number);
        return trip(place, (start, end), mode, metres, (from, to), sink);
    }
    if let Some(visit) = value.get("visit") {
        let at = visit
            .get("topCandidate")
            .and_then(|it| it.get("placeLocation"));
        let at = at.map_or((None, None), point);
        position(place, start, at, None, sink)?;
        return position(place, end, at, None, sink);
    }
    let Some(path) = value.get("timelinePath").and_then(Value::as_array) else {
        sink.skip(place, Reason::NoTable);
        return Ok(());
    };
    for step in path {
        let at = degrees(text(step, "point").unwrap_or_default());
        let minutes = step
            .get("durationMinutesOffsetFromStartTime")
            .and_then(number);
        let later = start.zip(minutes).map(|(start, minutes)| Moment {
            utc_s: start.utc_s.saturating_add((minutes * 60.0) as i64),
            ..start
        });
        position(
            place,
            local(time(step, "time", sink)).or(later),
            at,
            None,
            sink,
        )?;
    }
    Ok(())
}

/// A part of Semantic Location History.
fn object(place: Place, value: &Value, sink: &mut Sink) -> Result<(), ImportError> {
    let span = |of: &Value| {
        let span = of.get("duration").cloned().unwrap_or_default();
        (
            time(&span, "startTimestamp", sink),
            time(&span, "endTimestamp", sink),
        )
    };
    if let Some(way) = value.get("activitySegment") {
        let ends = (
            way.get("startLocation").map_or((None, None), e7),
            way.get("endLocation").map_or((None, None), e7),
        );
        let metres = way.get("distance").and_then(number);
        return trip(
            place,
            span(way),
            text(way, "activityType"),
            metres,
            ends,
            sink,
        );
    }
    if let Some(visit) = value.get("placeVisit") {
        let at = visit.get("location").map_or((None, None), e7);
        let (start, end) = span(visit);
        position(place, start, at, None, sink)?;
        return position(place, end, at, None, sink);
    }
    sink.skip(place, Reason::NoTable);
    Ok(())
}

fn position(
    place: Place,
    time: Option<Moment>,
    (latitude, longitude): Degrees,
    more: Option<&Value>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let Some(time) = time else {
        sink.skip(place, Reason::NotATime);
        return Ok(());
    };
    let read = |names: [&str; 2]| {
        let found = names
            .iter()
            .find_map(|name| more?.get(*name).and_then(number));
        found.map_or(Cell::Missing, Cell::Float)
    };
    let cells = [
        ("at_utc_s", Cell::Units(time.utc_s)),
        ("utc_offset_min", offset(time)),
        ("latitude_deg", latitude.map_or(Cell::Missing, Cell::Units)),
        (
            "longitude_deg",
            longitude.map_or(Cell::Missing, Cell::Units),
        ),
        ("altitude_m", read(["altitude", "altitudeMeters"])),
        ("accuracy_m", read(["accuracy", "accuracyMeters"])),
        ("speed_m_s", read(["velocity", "speedMetersPerSecond"])),
        ("source", Cell::Word("Google")),
    ];
    sink.keep(place, "positions", &cells)
}

fn trip(
    place: Place,
    (start, end): (Option<Moment>, Option<Moment>),
    mode: Option<&str>,
    metres: Option<f64>,
    (from, to): (Degrees, Degrees),
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let Some((start, end)) = start.zip(end) else {
        sink.skip(place, Reason::NotATime);
        return Ok(());
    };
    let degrees = |units: Option<i64>| units.map_or(Cell::Missing, Cell::Units);
    let cells = [
        ("start_utc_s", Cell::Units(start.utc_s)),
        ("end_utc_s", Cell::Units(end.utc_s)),
        ("utc_offset_min", offset(start)),
        ("mode", Cell::Word(mode_of(mode.unwrap_or_default()))),
        ("distance_m", metres.map_or(Cell::Missing, Cell::Float)),
        ("start_latitude_deg", degrees(from.0)),
        ("start_longitude_deg", degrees(from.1)),
        ("end_latitude_deg", degrees(to.0)),
        ("end_longitude_deg", degrees(to.1)),
        ("source", Cell::Word("Google")),
    ];
    sink.keep(place, "trips", &cells)
}

fn mode_of(google: &str) -> &'static str {
    match google.to_ascii_lowercase().replace(' ', "_").as_str() {
        "walking" | "on_foot" => "walking",
        "running" => "running",
        "cycling" | "on_bicycle" => "cycling",
        "in_passenger_vehicle"
        | "in_vehicle"
        | "in_road_vehicle"
        | "in_car"
        | "in_taxi"
        | "driving" => "car",
        "motorcycling" => "motorcycle",
        "in_bus" => "bus",
        "in_tram" => "tram",
        "in_subway" => "subway",
        "in_train" | "in_rail_vehicle" => "train",
        "in_ferry" | "boating" | "sailing" => "ferry",
        "flying" => "plane",
        "" | "unknown" | "unknown_activity_type" => "unknown",
        _ => "other",
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

/// A number, also where it is written as text.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    }
}

/// The time under `name`, or under the same name in milliseconds since 1970.
fn time(value: &Value, name: &str, sink: &Sink) -> Option<Moment> {
    if let Some(text) = text(value, name) {
        return sink.time(text);
    }
    let millis = value.get(format!("{name}Ms"))?;
    let millis = millis.as_i64().or_else(|| millis.as_str()?.parse().ok())?;
    sink.zoned(Moment {
        utc_s: millis.div_euclid(1000),
        // An instant of UTC, and no local time.
        offset_min: Some(0),
    })
}

fn e7(value: &Value) -> Degrees {
    let read = |name| value.get(name).and_then(Value::as_i64);
    (read("latitudeE7"), read("longitudeE7"))
}

/// A place: `{"latLng": "46.1°, 14.2°"}`, or `"geo:46.1,14.2"`.
fn point(value: &Value) -> Degrees {
    match value {
        Value::String(text) => degrees(text),
        other => degrees(text(other, "latLng").unwrap_or_default()),
    }
}

fn degrees(text: &str) -> Degrees {
    let text = text.trim_start_matches("geo:");
    let Some((latitude, longitude)) = text.split_once(',') else {
        return (None, None);
    };
    let read = |text: &str| {
        let number = crate::number::parse(text.trim().trim_end_matches('°'))?;
        number.scaled_to(7)
    };
    (read(latitude), read(longitude))
}
