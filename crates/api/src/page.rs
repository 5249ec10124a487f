//! The page's files, as they are in the folder `page`, and the headers that keep it alone.

use std::io::Write;
use std::sync::LazyLock;

use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::fault::{Fault, Kind};
use crate::routes::Named;

/// Where all files but the first are.
pub const FOLDER: &str = "/page/";

const HTML: &str = "text/html; charset=utf-8";
const CODE: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

/// A file that is in the program.
struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($kind:ident $name:literal)*) => {
        &[$(File { name: $name, kind: $kind, text: include_str!(concat!("../page/", $name)) }),*]
    };
}

/// The first is the page itself. Nothing but these is ever read: a path is a name on this list or nothing.
const FILES: &[File] = files! {
    HTML "index.html"
    STYLE "style.css"
    IMAGE "icon.svg"
    CODE "main.js"
    CODE "words.js"
    CODE "focus.js"
    CODE "node.js"
    CODE "state.js"
    CODE "parts.js"
    CODE "format.js"
    CODE "sql.js"
    CODE "standing.js"
    CODE "figures.js"
    CODE "charts.js"
    CODE "grid.js"
    CODE "pictures.js"
    CODE "places.js"
    CODE "ring.js"
    CODE "panels/home.js"
    CODE "panels/first.js"
    CODE "panels/data.js"
    CODE "panels/held.js"
    CODE "panels/profile.js"
    CODE "panels/questions.js"
    CODE "panels/ruling.js"
    CODE "panels/asking.js"
    CODE "panels/results.js"
    CODE "panels/proof.js"
    CODE "panels/consent.js"
    CODE "panels/chain.js"
    CODE "panels/network.js"
    CODE "panels/settings.js"
    CODE "panels/keeping.js"
    CODE "panels/restoring.js"
    CODE "vendor/preact.js"
    CODE "vendor/hooks.js"
    CODE "vendor/htm.js"
    CODE "vendor/signals-core.js"
    CODE "vendor/signals.js"
};

/// What the browser may do for the page: load our files and speak to this node. No other host, no script or style in the
/// text, no frame around it, no form, no text that becomes elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Whether this path is one of the page's: they are the same for everybody, and need no token.
pub fn is_of_page(path: &str) -> bool {
    path == "/" || path.starts_with(FOLDER)
}

/// The page itself.
pub async fn index(headers: HeaderMap) -> Response {
    found(0, &headers)
}

/// Another of its files.
pub async fn file(Named(name): Named, headers: HeaderMap) -> Response {
    match FILES.iter().position(|file| file.name == name) {
        Some(place @ 1..) => found(place, &headers),
        _ => Fault::new(
            Kind::Unknown,
            "the page has no such file",
            "open the page anew: commonhold open",
        )
        .into_response(),
    }
}

/// The files as they go to browsers, which all take them so: a third as long.
static PACKED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| FILES.iter().map(packed).collect());

fn packed(file: &File) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let written = packed.write_all(file.text.as_bytes());
    written.expect("memory takes everything");
    packed.finish().expect("memory takes everything")
}

fn found(place: usize, headers: &HeaderMap) -> Response {
    let File { kind, text, .. } = FILES[place];
    let head = [(CONTENT_TYPE, kind), (VARY, "Accept-Encoding")];
    if takes_packed(headers) {
        let encoding = [(CONTENT_ENCODING, "gzip")];
        (head, encoding, PACKED[place].as_slice()).into_response()
    } else {
        (head, text).into_response()
    }
}

fn takes_packed(headers: &HeaderMap) -> bool {
    let said = headers
        .get(ACCEPT_ENCODING)
        .and_then(|said| said.to_str().ok());
    said.is_some_and(|said| said.split(',').any(|one| one.trim() == "gzip"))
}

/// Says with every response what a browser may not do with it.
pub fn guard(headers: &mut HeaderMap) {
    let alone = HeaderValue::from_static("same-origin");
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
        headers.insert(HeaderName::from_static(name), alone.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_nobody_elses_address() {
        for file in FILES
            .iter()
            .filter(|file| !file.name.starts_with("vendor/"))
        {
            for (place, _) in file.text.match_indices("//") {
                let before = &file.text[..place];
                let named = before.ends_with("http:") || before.ends_with("https:");
                let rest = &file.text[place..];
                let own = rest.starts_with("//www.w3.org/2000/svg");
                assert!(!named || own, "{}: {:.40}", file.name, rest);
            }
        }
    }

    #[test]
    fn the_page_knows_how_long_a_file_may_be() {
        let data = FILES.iter().find(|file| file.name == "panels/data.js");
        let text = data.expect("it is one of them").text;
        let most = format!("FILE_MAX = {} * 1024 * 1024;", crate::FILE_BYTES_MAX >> 20);
        assert!(text.contains(&most), "{most}");
    }

    #[test]
    fn the_first_file_asks_for_all_code_at_once() {
        for file in FILES.iter().filter(|file| file.kind == CODE) {
            let asked = FILES[0].text.contains(&format!("{FOLDER}{}\"", file.name));
            assert!(asked, "index.html does not name {}", file.name);
        }
    }

    #[test]
    fn everything_that_is_imported_is_there() {
        for file in FILES.iter().filter(|file| file.kind == CODE) {
            let folder = match file.name.rsplit_once('/') {
                Some((folder, _)) => format!("{folder}/"),
                None => String::new(),
            };
            let imports = file.text.split("from").skip(1).filter_map(|rest| {
                let rest = rest.trim_start();
                let quote = rest.chars().next().filter(|sign| "\"'".contains(*sign))?;
                rest[1..].split(quote).next()
            });
            for import in imports.filter(|import| import.ends_with(".js")) {
                let path = match import.strip_prefix("../") {
                    Some(up) => up.to_owned(),
                    None => format!("{folder}{}", import.trim_start_matches("./")),
                };
                let there = FILES.iter().any(|file| file.name == path);
                assert!(there, "{} imports {import}", file.name);
            }
        }
    }
}
