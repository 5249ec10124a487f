//! GPX 1.0 and 1.1: tracks of positions, as watches and telephones write them.

use std::io::Read;

use crate::error::ImportError;
use crate::fault::{Place, Reason};
use crate::import::Source;
use crate::import::sink::{Cell, Sink, offset};
use crate::import::xml::{Node, Xml};

/// A point of a track. One is used for all, so that its texts need no new room.
#[derive(Default)]
struct Point {
    place: Option<Place>,
    latitude: String,
    longitude: String,
    time: String,
    elevation: String,
    speed: String,
    heartbeat: String,
}

/// Points of tracks become positions, and where they tell of it heart rates. Points of routes and lone points are plans
/// and not places where somebody was.
pub(crate) fn read<R: Read>(source: Source<R>, sink: &mut Sink) -> Result<(), ImportError> {
    let mut xml = Xml::new(source)?;
    let mut creator = String::new();
    let mut point = Point::default();
    loop {
        let place = xml.place();
        match xml.next()? {
            Node::Open(element) => match element.name() {
                "gpx" => {
                    creator = element
                        .attribute("creator")
                        .unwrap_or_default()
                        .into_owned();
                }
                "trkpt" => {
                    point.begin(place);
                    let read = |name| element.attribute(name).unwrap_or_default();
                    point.latitude.push_str(&read("lat"));
                    point.longitude.push_str(&read("lon"));
                }
                "rtept" | "wpt" => sink.skip(place, Reason::NoTable),
                _ => {}
            },
            Node::Close(name, text) if point.place.is_some() => match name {
                "time" => text.clone_into(&mut point.time),
                "ele" => text.clone_into(&mut point.elevation),
                "speed" => text.clone_into(&mut point.speed),
                "hr" => text.clone_into(&mut point.heartbeat),
                "trkpt" => {
                    point.keep(&creator, sink)?;
                    point.place = None;
                }
                _ => {}
            },
            Node::Close(..) => {}
            Node::End => return Ok(()),
        }
    }
}

impl Point {
    fn begin(&mut self, place: Place) {
        self.place = Some(place);
        let texts = [
            &mut self.latitude,
            &mut self.longitude,
            &mut self.time,
            &mut self.elevation,
            &mut self.speed,
            &mut self.heartbeat,
        ];
        texts.into_iter().for_each(String::clear);
    }

    fn keep(&self, creator: &str, sink: &mut Sink) -> Result<(), ImportError> {
        let place = self.place.expect("a point has begun");
        if self.time.is_empty() {
            sink.skip(place, Reason::Missing("time"));
            return Ok(());
        }
        let Some(time) = sink.time(&self.time) else {
            sink.skip(place, Reason::NotATime);
            return Ok(());
        };
        let (at, source) = (Cell::Units(time.utc_s), Cell::Word(creator));
        let ahead = offset(time);
        sink.keep(
            place,
            "positions",
            &[
                ("at_utc_s", at),
                ("utc_offset_min", ahead),
                ("latitude_deg", Cell::Number(&self.latitude)),
                ("longitude_deg", Cell::Number(&self.longitude)),
                ("altitude_m", Cell::Number(&self.elevation)),
                ("speed_m_s", Cell::Number(&self.speed)),
                ("source", source),
            ],
        )?;
        if self.heartbeat.is_empty() {
            return Ok(());
        }
        let rate = ("heart_rate_bpm", Cell::Number(&self.heartbeat));
        let cells = [
            ("at_utc_s", at),
            ("utc_offset_min", ahead),
            rate,
            ("source", source),
        ];
        sink.keep(place, "heart_rate", &cells)
    }
}
