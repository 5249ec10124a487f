//! Apple Health's `export.xml`.

use std::borrow::Cow;
use std::io::Read;

use crate::error::ImportError;
use crate::fault::{Place, Reason};
use crate::import::Source;
use crate::import::sink::{Cell, Sink, offset};
use crate::import::xml::{Element, Node, Xml};
use crate::time::Moment;

/// A workout, and what its parts say of it.
struct Workout {
    place: Place,
    activity: String,
    start: String,
    end: String,
    minutes: Option<f64>,
    metres: Option<f64>,
    kilocalories: Option<f64>,
    heartbeat: Option<f64>,
    source: String,
}

/// Records become steps, sleep, heart rates and observations; workouts activities, their routes positions; and who it is
/// goes into the profile.
pub(crate) fn read<R: Read>(source: Source<R>, sink: &mut Sink) -> Result<(), ImportError> {
    let mut xml = Xml::new(source)?;
    let mut workout: Option<Workout> = None;
    loop {
        let place = xml.place();
        match xml.next()? {
            Node::Open(element) => match element.name() {
                "Record" => record(place, element, sink)?,
                "Workout" => workout = Some(Workout::new(place, element)),
                "WorkoutStatistics" => {
                    if let Some(workout) = &mut workout {
                        workout.statistic(element);
                    }
                }
                "Location" => location(place, element, sink)?,
                "Me" => me(place, element, sink)?,
                "ActivitySummary" | "ClinicalRecord" | "Audiogram" | "VisionPrescription" => {
                    sink.skip(place, Reason::NoTable);
                }
                _ => {}
            },
            Node::Close("Workout", _) => {
                if let Some(workout) = workout.take() {
                    workout.keep(sink)?;
                }
            }
            Node::Close(..) => {}
            Node::End => return Ok(()),
        }
    }
}

fn attribute<'a>(element: Element<'a>, name: &str) -> Cow<'a, str> {
    element.attribute(name).unwrap_or_default()
}

/// The times of an element, or nothing, which is noted.
fn span(place: Place, start: &str, end: &str, sink: &mut Sink) -> Option<(Moment, Moment)> {
    let times = sink.time(start).zip(sink.time(end));
    if times.is_none() {
        sink.skip(place, Reason::NotATime);
    }
    times
}

fn record(place: Place, element: Element<'_>, sink: &mut Sink) -> Result<(), ImportError> {
    let (kind, value) = (attribute(element, "type"), attribute(element, "value"));
    let (start, end) = (
        attribute(element, "startDate"),
        attribute(element, "endDate"),
    );
    let Some((start, end)) = span(place, &start, &end, sink) else {
        return Ok(());
    };
    let source = attribute(element, "sourceName");
    let source = ("source", Cell::Word(&source));
    let ahead = ("utc_offset_min", offset(start));
    let at = ("at_utc_s", Cell::Units(start.utc_s));
    let begins = ("start_utc_s", Cell::Units(start.utc_s));
    let ends = ("end_utc_s", Cell::Units(end.utc_s));
    match &*kind {
        "HKQuantityTypeIdentifierStepCount" => {
            let steps = ("steps_count", Cell::Number(&value));
            sink.keep(place, "steps", &[begins, ends, ahead, steps, source])
        }
        "HKQuantityTypeIdentifierHeartRate" => {
            let rate = ("heart_rate_bpm", Cell::Number(&value));
            sink.keep(place, "heart_rate", &[at, ahead, rate, source])
        }
        "HKCategoryTypeIdentifierSleepAnalysis" => {
            let stage = ("stage", Cell::Word(stage(&value)));
            sink.keep(place, "sleep", &[begins, ends, ahead, stage, source])
        }
        _ => {
            let unit = attribute(element, "unit");
            let name = kind
                .trim_start_matches("HKQuantityTypeIdentifier")
                .trim_start_matches("HKCategoryTypeIdentifier")
                .trim_start_matches("HKDataType");
            let said = match crate::number::parse(&value) {
                Some(_) => ("value", Cell::Number(&value)),
                None => ("answer", Cell::Word(&value)),
            };
            let (name, code) = (("name", Cell::Word(name)), ("code", Cell::Word(&kind)));
            let system = ("code_system", Cell::Word("Apple Health"));
            let unit = ("unit", Cell::Word(&unit));
            sink.keep(
                place,
                "observations",
                &[at, ahead, name, code, system, said, unit, source],
            )
        }
    }
}

fn stage(value: &str) -> &str {
    match value.trim_start_matches("HKCategoryValueSleepAnalysis") {
        "InBed" => "in_bed",
        "Awake" => "awake",
        "AsleepCore" => "light",
        "AsleepDeep" => "deep",
        "AsleepREM" => "rem",
        other if other.starts_with("Asleep") => "asleep",
        other => other,
    }
}

fn location(place: Place, element: Element<'_>, sink: &mut Sink) -> Result<(), ImportError> {
    let Some(time) = sink.time(&attribute(element, "date")) else {
        sink.skip(place, Reason::NotATime);
        return Ok(());
    };
    let read = |name| attribute(element, name);
    let (latitude, longitude, altitude) = (read("latitude"), read("longitude"), read("altitude"));
    let (accuracy, speed) = (read("horizontalAccuracy"), read("speed"));
    // Minus one is how Apple says that it does not know.
    let speed = if speed.starts_with('-') { "" } else { &speed };
    let cells = [
        ("at_utc_s", Cell::Units(time.utc_s)),
        ("utc_offset_min", offset(time)),
        ("latitude_deg", Cell::Number(&latitude)),
        ("longitude_deg", Cell::Number(&longitude)),
        ("altitude_m", Cell::Number(&altitude)),
        ("accuracy_m", Cell::Number(&accuracy)),
        ("speed_m_s", Cell::Number(speed)),
        ("source", Cell::Word("Apple Health")),
    ];
    sink.keep(place, "positions", &cells)
}

fn me(place: Place, element: Element<'_>, sink: &mut Sink) -> Result<(), ImportError> {
    let born = attribute(element, "HKCharacteristicTypeIdentifierDateOfBirth");
    let sex = attribute(element, "HKCharacteristicTypeIdentifierBiologicalSex");
    let year = born.get(..4).unwrap_or_default();
    let sex = match sex.trim_start_matches("HKBiologicalSex") {
        "Female" => "female",
        "Male" => "male",
        "Other" => "other",
        _ => "",
    };
    if year.is_empty() && sex.is_empty() {
        return Ok(());
    }
    sink.must_be_owner(place, year, sex)?;
    let cells = [("birth_year", Cell::Number(year)), ("sex", Cell::Word(sex))];
    sink.keep(place, "profile", &cells)
}

impl Workout {
    fn new(place: Place, element: Element<'_>) -> Self {
        let read = |name: &str| attribute(element, name);
        let number = |name: &str| read(name).parse::<f64>().ok();
        let activity = read("workoutActivityType");
        let activity = activity
            .trim_start_matches("HKWorkoutActivityType")
            .to_lowercase();
        let minutes = number("duration").map(|duration| match &*read("durationUnit") {
            "s" => duration / 60.0,
            "hr" => duration * 60.0,
            _ => duration,
        });
        Self {
            place,
            activity,
            start: read("startDate").into_owned(),
            end: read("endDate").into_owned(),
            minutes,
            metres: number("totalDistance").and_then(|it| metres(it, &read("totalDistanceUnit"))),
            kilocalories: number("totalEnergyBurned")
                .and_then(|it| kilocalories(it, &read("totalEnergyBurnedUnit"))),
            heartbeat: None,
            source: read("sourceName").into_owned(),
        }
    }

    /// How newer telephones say the same.
    fn statistic(&mut self, element: Element<'_>) {
        let number = |name: &str| attribute(element, name).parse::<f64>().ok();
        let unit = attribute(element, "unit");
        let kind = attribute(element, "type");
        if kind.starts_with("HKQuantityTypeIdentifierDistance") {
            self.metres = self
                .metres
                .or(number("sum").and_then(|sum| metres(sum, &unit)));
        } else if kind == "HKQuantityTypeIdentifierActiveEnergyBurned" {
            let burned = number("sum").and_then(|sum| kilocalories(sum, &unit));
            self.kilocalories = self.kilocalories.or(burned);
        } else if kind == "HKQuantityTypeIdentifierHeartRate" {
            self.heartbeat = number("average");
        }
    }

    fn keep(&self, sink: &mut Sink) -> Result<(), ImportError> {
        let Some((start, end)) = span(self.place, &self.start, &self.end, sink) else {
            return Ok(());
        };
        let computed = |number: Option<f64>| number.map_or(Cell::Missing, Cell::Float);
        let cells = [
            ("start_utc_s", Cell::Units(start.utc_s)),
            ("end_utc_s", Cell::Units(end.utc_s)),
            ("utc_offset_min", offset(start)),
            ("activity", Cell::Word(&self.activity)),
            (
                "duration_s",
                computed(self.minutes.map(|minutes| minutes * 60.0)),
            ),
            ("distance_m", computed(self.metres)),
            ("energy_kcal", computed(self.kilocalories)),
            ("average_heart_rate_bpm", computed(self.heartbeat)),
            ("source", Cell::Word(&self.source)),
        ];
        sink.keep(self.place, "activities", &cells)
    }
}

fn metres(number: f64, unit: &str) -> Option<f64> {
    let one = match unit {
        "m" => 1.0,
        "km" => 1000.0,
        "mi" => 1609.344,
        "yd" => 0.9144,
        "ft" => 0.3048,
        _ => return None,
    };
    Some(number * one)
}

fn kilocalories(number: f64, unit: &str) -> Option<f64> {
    match unit {
        "kcal" | "Cal" => Some(number),
        "kJ" => Some(number / 4.184),
        _ => None,
    }
}
