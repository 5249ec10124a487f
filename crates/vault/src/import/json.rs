//! JSON as a stream: the elements of long lists one by one, whatever stands around them.

use std::fmt;
use std::io::{BufRead, BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::ImportError;
use crate::fault::Place;
use crate::import::Source;
use crate::import::input::{Bounded, Budget};

const MARK: &[u8] = b"\xef\xbb\xbf";

/// What was read.
pub(crate) enum Piece {
    /// An element of the list under this key, or of a list at the top, whose key is empty.
    Element(String, Value),
    /// An object at the top that has no such list.
    Rest(Map<String, Value>),
}

/// Who takes the pieces.
type Take<'a> = dyn FnMut(Piece) -> Result<(), ImportError> + 'a;

/// Reads all values of a file, one after the other: hands out the elements of the lists under `keys`, and with `rest` the
/// objects that have none of these. Other values are passed over.
pub(crate) fn pieces<R: Read>(
    source: Source<R>,
    keys: &[&str],
    rest: bool,
    take: &mut Take<'_>,
) -> Result<(), ImportError> {
    let budget = source.budget;
    let mut input: BufReader<Bounded<R>> = BufReader::new(source.input);
    // Some programs begin every text with a mark of its encoding.
    if input.fill_buf()?.starts_with(MARK) {
        input.consume(MARK.len());
    }
    let mut json = serde_json::Deserializer::from_reader(input);
    let mut state = State {
        keys,
        rest,
        take,
        budget,
        begun: false,
        failed: None,
    };
    loop {
        state.begun = false;
        state.budget.renew();
        match (Top(&mut state)).deserialize(&mut json) {
            Ok(()) => {}
            Err(_) if state.failed.is_some() => {
                return Err(state.failed.take().expect("just seen"));
            }
            Err(why) if why.is_eof() && !state.begun => return Ok(()),
            Err(why) => return Err(damaged(&why)),
        }
    }
}

/// Without the text of the parser, which may quote the file.
fn damaged(why: &serde_json::Error) -> ImportError {
    let place = Place::Line(why.line() as u64);
    match why.classify() {
        serde_json::error::Category::Eof => ImportError::Truncated { place },
        serde_json::error::Category::Io => match why.io_error_kind() {
            Some(std::io::ErrorKind::FileTooLarge) => ImportError::TooLarge { place },
            kind => ImportError::Io(kind.unwrap_or(std::io::ErrorKind::Other)),
        },
        _ if why.to_string().starts_with("recursion limit") => ImportError::TooDeep { place },
        _ => ImportError::Malformed {
            place,
            what: "JSON that is not well-formed",
        },
    }
}

struct State<'a, 't> {
    keys: &'a [&'a str],
    rest: bool,
    take: &'a mut Take<'t>,
    budget: Budget,
    /// Whether a value has begun.
    begun: bool,
    /// Why no more is wanted.
    failed: Option<ImportError>,
}

impl State<'_, '_> {
    fn give<E: serde::de::Error>(&mut self, piece: Piece) -> Result<(), E> {
        self.budget.renew();
        (self.take)(piece).map_err(|why| {
            self.failed = Some(why);
            E::custom("not wanted")
        })
    }
}

/// A value at the top.
struct Top<'s, 'a, 't>(&'s mut State<'a, 't>);

impl<'de> DeserializeSeed<'de> for Top<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        self.0.begun = true;
        List(self.0, String::new()).visit_seq(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let state = self.0;
        state.begun = true;
        let mut rest = state.rest.then(Map::new);
        while let Some(key) = object.next_key::<String>()? {
            if state.keys.contains(&key.as_str()) {
                // What has such a list is known by it, and may be of any length: nothing else of it is kept.
                rest = None;
                object.next_value_seed(List(state, key))?;
            } else if let Some(rest) = &mut rest {
                rest.insert(key, object.next_value()?);
            } else {
                object.next_value_seed(Passed(&state.budget))?;
            }
        }
        match rest {
            Some(rest) => state.give(Piece::Rest(rest)),
            None => Ok(()),
        }
    }
}

/// A list whose elements are wanted.
struct List<'s, 'a, 't>(&'s mut State<'a, 't>, String);

impl<'de> DeserializeSeed<'de> for List<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.0.budget.renew();
        while let Some(value) = list.next_element::<Value>()? {
            self.0.give(Piece::Element(self.1.clone(), value))?;
        }
        Ok(())
    }
}

/// What nobody wants, of any length.
struct Passed<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for Passed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        self.0.renew();
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Passed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Passed(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while object.next_key::<serde::de::IgnoredAny>()?.is_some() {
            object.next_value_seed(Passed(self.0))?;
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
