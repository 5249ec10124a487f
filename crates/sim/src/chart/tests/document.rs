//! Reads an SVG document as strictly as XML is read, no more of it than our figures use.

use std::collections::BTreeMap;

/// An element without children.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    pub tag: String,
    pub attributes: BTreeMap<String, String>,
    pub text: String,
}

impl Element {
    /// An attribute, where it is a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.attributes.get(name)?.parse().ok()
    }

    /// Of a line from point to point.
    pub fn points(&self) -> Vec<(i32, i32)> {
        let points = self.attributes.get("points").map(String::as_str);
        let pairs = points.unwrap_or_default().split_whitespace();
        let pairs = pairs.map(|pair| pair.split_once(',').unwrap());
        pairs
            .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
            .collect()
    }
}

/// The attributes of the root, and all elements in it. Panics where a parser of XML would refuse.
pub fn read(svg: &str) -> (BTreeMap<String, String>, Vec<Element>) {
    let allowed = |c: char| !c.is_control() || c == '\n';
    assert!(svg.chars().all(allowed), "a character that XML cannot hold");
    let mut root = None;
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = svg;
    while let Some((text, after)) = rest.split_once('<') {
        match open.len() {
            2 => elements
                .last_mut()
                .unwrap()
                .text
                .push_str(&unescaped(text.trim())),
            _ => assert_eq!(text.trim(), "", "text outside of elements"),
        }
        let (inside, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(tag) = inside.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(tag), "tags are closed in order");
            continue;
        }
        let (inside, closed) = inside
            .strip_suffix('/')
            .map_or((inside, false), |it| (it, true));
        let (tag, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        let attributes = pairs(attributes);
        if root.is_none() {
            assert_eq!(tag, "svg");
            root = Some(attributes);
        } else {
            assert_eq!(open.len(), 1, "elements are in the root");
            let (tag, text) = (tag.to_owned(), String::new());
            elements.push(Element {
                tag,
                attributes,
                text,
            });
        }
        if !closed {
            open.push(tag.to_owned());
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "all is closed");
    (root.expect("there is a root"), elements)
}

fn pairs(mut text: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let (value, rest) = rest.split_once('"').expect("a value ends");
        let before = pairs.insert(name.trim().to_owned(), unescaped(value));
        assert_eq!(before, None, "an attribute is there once");
        text = rest;
    }
    assert_eq!(text.trim(), "");
    pairs
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once(';').expect("a reference ends");
        let names = [
            ("lt", '<'),
            ("gt", '>'),
            ("amp", '&'),
            ("quot", '"'),
            ("apos", '\''),
        ];
        out.push(
            names
                .iter()
                .find(|(one, _)| *one == name)
                .expect("a known reference")
                .1,
        );
        out.push_str(rest);
    }
    out
}
