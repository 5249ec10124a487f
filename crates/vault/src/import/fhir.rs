//! FHIR R4 as JSON: resources one after the other (ndjson), or in bundles.

use std::io::Read;

use serde_json::{Map, Value};

use crate::error::ImportError;
use crate::fault::{Place, Reason};
use crate::import::Source;
use crate::import::json::{Piece, pieces};
use crate::import::sink::{Cell, Sink, offset};
use crate::time::Moment;

/// LOINC's code of the heart rate.
const HEART_RATE: &str = "8867-4";

/// Reads patients into the profile, observations and conditions. All must be of one person, the one that earlier imports were
/// about if there were any, or `person` says which; with it, those of others are left out.
pub(crate) fn read<R: Read>(
    source: Source<R>,
    person: Option<&str>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let mut reader = Reader {
        chosen: person.map(|person| name(person).to_owned()),
        place: Place::Record(0),
        sink,
    };
    let mut number = 0;
    pieces(source, &["entry"], true, &mut |piece| {
        let resource = match piece {
            Piece::Element(_, Value::Object(mut entry)) => {
                let address = entry
                    .get("fullUrl")
                    .and_then(Value::as_str)
                    .map(String::from);
                let Some(Value::Object(resource)) = entry.remove("resource") else {
                    return Ok(());
                };
                number += 1;
                reader.place = Place::Record(number);
                return reader.resource(&resource, address.as_deref());
            }
            Piece::Element(..) => return Ok(()),
            Piece::Rest(resource) => resource,
        };
        if text(&resource, "resourceType") == "Bundle" {
            return Ok(());
        }
        number += 1;
        reader.place = Place::Record(number);
        reader.resource(&resource, None)
    })
}

struct Reader<'s> {
    chosen: Option<String>,
    place: Place,
    sink: &'s mut Sink,
}

type Object = Map<String, Value>;

impl Reader<'_> {
    fn resource(&mut self, resource: &Object, address: Option<&str>) -> Result<(), ImportError> {
        let kind = text(resource, "resourceType");
        let whose = match kind {
            // In bundles that name by random numbers, others name a patient so.
            "Patient" => match address.filter(|address| address.starts_with("urn:uuid:")) {
                Some(address) => name(address),
                None => text(resource, "id"),
            },
            "Observation" | "Condition" => resource
                .get("subject")
                .map_or("", |it| name(inner(it, "reference"))),
            _ => {
                self.sink.skip(self.place, Reason::NoTable);
                return Ok(());
            }
        };
        if !self.is_owner(whose)? {
            self.sink.skip(self.place, Reason::OtherPerson);
            return Ok(());
        }
        match kind {
            "Patient" => self.patient(resource),
            "Condition" => self.condition(resource),
            _ => self.observation(resource),
        }
    }

    fn is_owner(&mut self, whose: &str) -> Result<bool, ImportError> {
        if let Some(chosen) = &self.chosen {
            let is_owner = chosen == whose;
            if is_owner && self.sink.person.is_none() {
                self.sink.person = Some(whose.to_owned());
            }
            return Ok(is_owner);
        }
        let place = self.place;
        let known_as = &self.sink.known_as;
        match &self.sink.person {
            Some(seen) if seen != whose => Err(ImportError::SeveralPeople { place }),
            Some(_) => Ok(true),
            None if !(whose.is_empty()
                || known_as.is_empty()
                || known_as.iter().any(|it| it == whose)) =>
            {
                Err(ImportError::SomebodyElse { place })
            }
            None => {
                self.sink.person = Some(whose.to_owned());
                Ok(true)
            }
        }
    }

    fn patient(&mut self, patient: &Object) -> Result<(), ImportError> {
        let year = text(patient, "birthDate").get(..4).unwrap_or_default();
        let sex = match text(patient, "gender") {
            "unknown" => "",
            known => known,
        };
        let address = patient
            .get("address")
            .and_then(|it| it.get(0))
            .cloned()
            .unwrap_or_default();
        // Whom the owner has named, the owner is.
        if self.chosen.is_none() {
            self.sink.must_be_owner(self.place, year, sex)?;
        }
        let cells = [
            ("birth_year", Cell::Number(year)),
            ("sex", Cell::Word(sex)),
            ("town", Cell::Word(inner(&address, "city"))),
            ("country", Cell::Word(inner(&address, "country"))),
        ];
        self.sink.keep(self.place, "profile", &cells)
    }

    fn condition(&mut self, condition: &Object) -> Result<(), ImportError> {
        let doubted = coded(condition.get("verificationStatus")).code;
        if matches!(doubted.as_str(), "entered-in-error" | "refuted") {
            self.sink.skip(self.place, Reason::Withdrawn);
            return Ok(());
        }
        let onset = self.moment(condition, &["onsetDateTime", "onsetPeriod"]);
        let end = self.moment(condition, &["abatementDateTime", "abatementPeriod"]);
        let (code, status) = (
            coded(condition.get("code")),
            coded(condition.get("clinicalStatus")),
        );
        let at = |moment: Option<Moment>| moment.map_or(Cell::Missing, |it| Cell::Units(it.utc_s));
        let cells = [
            ("name", Cell::Word(&code.name)),
            ("code", Cell::Word(&code.code)),
            ("code_system", Cell::Word(&code.system)),
            ("status", Cell::Word(&status.code)),
            ("onset_utc_s", at(onset)),
            ("end_utc_s", at(end)),
            ("utc_offset_min", onset.map_or(Cell::Missing, offset)),
            ("reference", Cell::Word(text(condition, "id"))),
            ("source", Cell::Word("FHIR")),
        ];
        self.sink.keep(self.place, "conditions", &cells)
    }

    fn observation(&mut self, observation: &Object) -> Result<(), ImportError> {
        let status = text(observation, "status");
        if matches!(status, "entered-in-error" | "cancelled") {
            self.sink.skip(self.place, Reason::Withdrawn);
            return Ok(());
        }
        let names = [
            "effectiveDateTime",
            "effectiveInstant",
            "effectivePeriod",
            "issued",
        ];
        let Some(time) = self.moment(observation, &names) else {
            self.sink.skip(self.place, Reason::NotATime);
            return Ok(());
        };
        let reference = text(observation, "id");
        let parts = observation.get("component").and_then(Value::as_array);
        for part in parts.into_iter().flatten().filter_map(Value::as_object) {
            self.measurement(part, time, reference)?;
        }
        let has_value = observation.keys().any(|key| key.starts_with("value"));
        match parts.is_none() || has_value {
            true => self.measurement(observation, time, reference),
            false => Ok(()),
        }
    }

    /// An observation, or one of its components.
    fn measurement(
        &mut self,
        of: &Object,
        time: Moment,
        reference: &str,
    ) -> Result<(), ImportError> {
        let code = coded(of.get("code"));
        let (number, unit, answer) = value(of);
        let (at, ahead) = (
            ("at_utc_s", Cell::Units(time.utc_s)),
            ("utc_offset_min", offset(time)),
        );
        let source = ("source", Cell::Word("FHIR"));
        if code.code == HEART_RATE && !number.is_empty() {
            let rate = ("heart_rate_bpm", Cell::Number(&number));
            return self
                .sink
                .keep(self.place, "heart_rate", &[at, ahead, rate, source]);
        }
        let cells = [
            at,
            ahead,
            ("name", Cell::Word(&code.name)),
            ("code", Cell::Word(&code.code)),
            ("code_system", Cell::Word(&code.system)),
            ("value", Cell::Number(&number)),
            ("unit", Cell::Word(&unit)),
            ("answer", Cell::Word(&answer)),
            ("reference", Cell::Word(reference)),
            source,
        ];
        self.sink.keep(self.place, "observations", &cells)
    }

    /// The first of these that is there; of a period its beginning. Dates may lack the day or the month.
    fn moment(&self, of: &Object, names: &[&str]) -> Option<Moment> {
        let found = names.iter().find_map(|name| of.get(*name))?;
        let text = match found {
            Value::String(text) => text.as_str(),
            period => inner(period, "start"),
        };
        match text.len() {
            4 => self.sink.time(&format!("{text}-01-01")),
            7 => self.sink.time(&format!("{text}-01")),
            _ => self.sink.time(text),
        }
    }
}

/// A concept: its words, its first code, and whose code that is.
#[derive(Default)]
struct Coded {
    name: String,
    code: String,
    system: String,
}

fn coded(concept: Option<&Value>) -> Coded {
    let Some(concept) = concept else {
        return Coded::default();
    };
    let first = concept
        .get("coding")
        .and_then(|it| it.get(0))
        .cloned()
        .unwrap_or_default();
    let words = [
        inner(concept, "text"),
        inner(&first, "display"),
        inner(&first, "code"),
    ];
    Coded {
        name: words
            .into_iter()
            .find(|it| !it.is_empty())
            .unwrap_or_default()
            .into(),
        code: inner(&first, "code").into(),
        system: inner(&first, "system").into(),
    }
}

/// The value as a number with its unit, or as words.
fn value(of: &Object) -> (String, String, String) {
    let none = String::new;
    if let Some(quantity) = of.get("valueQuantity") {
        let number = quantity.get("value").map_or_else(none, Value::to_string);
        let unit = [inner(quantity, "unit"), inner(quantity, "code")];
        let unit = unit
            .into_iter()
            .find(|it| !it.is_empty())
            .unwrap_or_default();
        return (number, unit.into(), none());
    }
    if let Some(number) = of.get("valueInteger") {
        return (number.to_string(), none(), none());
    }
    let answer = match (
        of.get("valueCodeableConcept"),
        of.get("valueString"),
        of.get("valueBoolean"),
    ) {
        (Some(concept), ..) => coded(Some(concept)).name,
        (_, Some(Value::String(text)), _) => text.clone(),
        (.., Some(Value::Bool(yes))) => if *yes { "yes" } else { "no" }.into(),
        _ => none(),
    };
    (none(), none(), answer)
}

fn text<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn inner<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Who is meant by `Patient/1`, `https://…/Patient/1`, `urn:uuid:1` or `1`.
fn name(reference: &str) -> &str {
    let reference = reference.trim_start_matches("urn:uuid:");
    reference
        .rsplit_once('/')
        .map_or(reference, |(_, name)| name)
}
