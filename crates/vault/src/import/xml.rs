//! XML as a stream, with a bound on everything: no entities but the five of XML itself, no depth without end.

use std::borrow::Cow;
use std::io::{self, BufReader, Read};

use quick_xml::XmlVersion;
use quick_xml::events::Event;
use quick_xml::events::attributes::Attributes;
use quick_xml::name::QName;

use crate::error::ImportError;
use crate::fault::Place;
use crate::import::Source;
use crate::import::encoding::Decoded;
use crate::import::input::{Bounded, Budget};

/// Most elements within each other. Formats that we read have a dozen.
const MAX_DEPTH: usize = 64;

/// Most bytes of the text of one element that is kept.
const MAX_TEXT: usize = 1 << 16;

/// A stream of XML.
pub(crate) struct Xml<R: Read> {
    reader: quick_xml::Reader<BufReader<Decoded<Bounded<R>>>>,
    budget: Budget,
    buffer: Vec<u8>,
    depth: usize,
    /// What was between the signs of the last element that began, and the length of its name.
    element: (String, usize),
    /// The name of the last element that ended.
    name: String,
    /// The text since the last node.
    text: String,
    /// Whether that was told.
    is_told: bool,
}

/// What comes next. It lies in room that the one after it takes again: a file has millions of them.
pub(crate) enum Node<'a> {
    /// An element begins.
    Open(Element<'a>),
    /// The element with this local name ends; with the text since the last node.
    Close(&'a str, &'a str),
    /// The file is over.
    End,
}

/// The beginning of an element.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    content: &'a str,
    name_len: usize,
}

impl<'a> Element<'a> {
    /// Its name, without that of its space.
    pub(crate) fn name(self) -> &'a str {
        let name = QName(&self.content[..self.name_len]);
        name.local_name().into_inner()
    }

    /// One of its attributes.
    pub(crate) fn attribute(self, name: &str) -> Option<Cow<'a, str>> {
        let mut all = Attributes::new(self.content, self.name_len);
        let found = all.with_checks(false).flatten();
        let mut found = found.filter(|it| it.key.local_name().as_ref() == name);
        found.next()?.normalized_value(XmlVersion::Implicit1_0).ok()
    }
}

impl<R: Read> Xml<R> {
    /// Reads from the beginning.
    ///
    /// # Errors
    ///
    /// When the text is in an encoding that is not read here.
    pub(crate) fn new(source: Source<R>) -> Result<Self, ImportError> {
        let input = Decoded::new(source.input)?;
        let mut reader = quick_xml::Reader::from_reader(BufReader::new(input));
        reader.config_mut().expand_empty_elements = true;
        Ok(Self {
            reader,
            budget: source.budget,
            buffer: Vec::new(),
            depth: 0,
            element: (String::new(), 0),
            name: String::new(),
            text: String::new(),
            is_told: false,
        })
    }

    /// Where the reader is, in bytes of the text as UTF-8.
    pub(crate) fn place(&self) -> Place {
        Place::Byte(self.reader.buffer_position())
    }

    /// The next node. Text comes with what closes it; comments and instructions are passed over.
    pub(crate) fn next(&mut self) -> Result<Node<'_>, ImportError> {
        if std::mem::take(&mut self.is_told) {
            self.text.clear();
        }
        loop {
            self.buffer.clear();
            self.budget.renew();
            let place = Place::Byte(self.reader.buffer_position());
            let event = self.reader.read_event_into(&mut self.buffer);
            match event.map_err(|why| damaged(&why, place))? {
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(ImportError::TooDeep { place });
                    }
                    self.text.clear();
                    let (content, name_len) = &mut self.element;
                    content.clear();
                    content.push_str(&start);
                    *name_len = start.name().as_ref().len();
                    return Ok(Node::Open(Element {
                        content: &self.element.0,
                        name_len: self.element.1,
                    }));
                }
                Event::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    self.name.clear();
                    self.name.push_str(end.local_name().as_ref());
                    self.is_told = true;
                    return Ok(Node::Close(&self.name, &self.text));
                }
                Event::Text(text) => append(&mut self.text, &text.into_inner()),
                Event::CData(text) => append(&mut self.text, &text.into_inner()),
                Event::GeneralRef(name) => append(&mut self.text, &resolved(&name)),
                Event::DocType(text) if text.contains("<!ENTITY") => {
                    return Err(ImportError::Entities { place });
                }
                // One that is cut off must not look like one that is complete.
                Event::Eof if self.depth > 0 => return Err(ImportError::Truncated { place }),
                Event::Eof => return Ok(Node::End),
                Event::Empty(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_) => {}
            }
        }
    }
}

fn append(text: &mut String, more: &str) {
    if text.len() + more.len() <= MAX_TEXT {
        text.push_str(more);
    }
}

/// What `&name;` stands for: nothing but characters, so that a small file cannot become a large one.
fn resolved(name: &quick_xml::events::BytesRef<'_>) -> String {
    let known = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
    ];
    let character = name.resolve_char_ref().ok().flatten();
    let text: &str = name;
    let found = known.iter().find(|(known, _)| *known == text);
    let character = character.or(found.map(|(_, character)| *character));
    character.map_or_else(String::new, String::from)
}

/// Without the text of the parser, which may quote the file.
fn damaged(why: &quick_xml::Error, place: Place) -> ImportError {
    match why {
        quick_xml::Error::Io(why) if why.kind() == io::ErrorKind::FileTooLarge => {
            ImportError::TooLarge { place }
        }
        quick_xml::Error::Io(why) if why.kind() == io::ErrorKind::InvalidData => {
            ImportError::Malformed {
                place,
                what: "text that is not UTF-8",
            }
        }
        quick_xml::Error::Io(why) => ImportError::Io(why.kind()),
        quick_xml::Error::Encoding(_) => ImportError::Malformed {
            place,
            what: "text that is not UTF-8",
        },
        quick_xml::Error::Syntax(_) => ImportError::Truncated { place },
        _ => ImportError::Malformed {
            place,
            what: "XML that is not well-formed",
        },
    }
}
