//! XML in other encodings than UTF-8, as older programs write it, brought into UTF-8 as it is read.

use std::io::{self, Chain, Cursor, Read};

use crate::error::ImportError;
use crate::import::input::fill;

/// Bytes in which a file says what its encoding is.
const HEAD: usize = 256;

/// How many bytes are brought over at once.
const PIECE: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// Windows' Western one, and ISO 8859-1, which it contains but for control characters.
    Western,
    /// With the higher byte of each pair first, or second.
    Utf16 {
        is_big: bool,
    },
}

/// A stream of text in UTF-8, whatever it was.
pub(crate) struct Decoded<R> {
    input: Chain<Cursor<Vec<u8>>, R>,
    encoding: Encoding,
    /// What was read and is half a character.
    begun: Vec<u8>,
    /// What was brought over and not yet taken.
    ready: Cursor<Vec<u8>>,
}

impl<R: Read> Decoded<R> {
    /// Looks what the encoding is.
    ///
    /// # Errors
    ///
    /// When reading fails, or the encoding is another one.
    pub(crate) fn new(mut input: R) -> Result<Self, ImportError> {
        let mut head = vec![0; HEAD];
        let filled = fill(&mut input, &mut head)?;
        head.truncate(filled);
        let (encoding, mark) = encoding(&head).ok_or(ImportError::Encoding)?;
        head.drain(..mark);
        Ok(Self {
            input: Cursor::new(head).chain(input),
            encoding,
            begun: Vec::new(),
            ready: Cursor::default(),
        })
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.encoding == Encoding::Utf8 {
            return self.input.read(buffer);
        }
        loop {
            let taken = self.ready.read(buffer)?;
            if taken > 0 || buffer.is_empty() {
                return Ok(taken);
            }
            let mut piece = [0; PIECE];
            let read = self.input.read(&mut piece)?;
            if read == 0 {
                return match self.begun.is_empty() {
                    true => Ok(0),
                    false => Err(io::ErrorKind::InvalidData.into()),
                };
            }
            self.begun.extend_from_slice(&piece[..read]);
            let text = decoded(self.encoding, &mut self.begun)?;
            self.ready = Cursor::new(text.into_bytes());
        }
    }
}

/// All whole characters, which are taken away.
fn decoded(encoding: Encoding, bytes: &mut Vec<u8>) -> io::Result<String> {
    let Encoding::Utf16 { is_big } = encoding else {
        return Ok(bytes.drain(..).map(western).collect());
    };
    let unit = |pair: &[u8]| match is_big {
        true => u16::from_be_bytes([pair[0], pair[1]]),
        false => u16::from_le_bytes([pair[0], pair[1]]),
    };
    let mut units: Vec<u16> = bytes.chunks_exact(2).map(unit).collect();
    // The first half of a pair waits for the second.
    units.pop_if(|unit| (0xd800..0xdc00).contains(unit));
    bytes.drain(..2 * units.len());
    String::from_utf16(&units).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// What the encoding is, and the length of the mark that says so; `None` for one that is not read here.
fn encoding(head: &[u8]) -> Option<(Encoding, usize)> {
    let utf16 = |is_big, mark| Some((Encoding::Utf16 { is_big }, mark));
    match head {
        [0xff, 0xfe, ..] => return utf16(false, 2),
        [0xfe, 0xff, ..] => return utf16(true, 2),
        [b'<', 0, ..] => return utf16(false, 0),
        [0, b'<', ..] => return utf16(true, 0),
        _ => {}
    }
    // What is declared as UTF-16 and can be read here was brought over already.
    let encoding = match declared(head).as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii" | "utf-16") => Encoding::Utf8,
        Some("iso-8859-1" | "latin1" | "windows-1252" | "cp1252") => Encoding::Western,
        Some(_) => return None,
    };
    Some((encoding, 0))
}

/// What an XML declaration says, in small letters.
fn declared(head: &[u8]) -> Option<String> {
    let declaration = head.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = declaration.iter().position(|&byte| byte == b'>')?;
    let declaration = std::str::from_utf8(&declaration[..end]).ok()?;
    let (_, said) = declaration.split_once("encoding")?;
    let said = said.trim_start().strip_prefix('=')?.trim_start();
    let quote = said.chars().next()?;
    let (said, _) = said[quote.len_utf8()..].split_once(quote)?;
    Some(said.to_ascii_lowercase())
}

/// The beginning of a file as UTF-8, as far as it is one that is read here.
pub(crate) fn beginning(head: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let read =
        Decoded::new(head).map(|decoded| decoded.take(head.len() as u64).read_to_end(&mut text));
    // Half a character at its end is no fault.
    drop(read);
    text
}

/// The character that a byte is in Windows' Western encoding: that of ISO 8859-1, but for 32 of them.
pub(crate) fn western(byte: u8) -> char {
    const OTHERS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => OTHERS[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time, as the slowest pipe would.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let some = buffer.len().min(1);
            self.0.read(&mut buffer[..some])
        }
    }

    fn read(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        let mut decoded = Decoded::new(Slow(bytes)).expect("an encoding that is read");
        decoded.read_to_string(&mut text).map(|_| text)
    }

    fn utf16(text: &str, of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(of).collect()
    }

    #[test]
    fn each_encoding_gives_the_same_text() {
        let text = format!("<?xml version=\"1.0\"?><a>é 𝄞 €{}</a>", "ž".repeat(9000));
        assert_eq!(read(text.as_bytes()).unwrap(), text);
        let marked = format!("\u{feff}{text}");
        for of in [u16::to_le_bytes, u16::to_be_bytes] {
            assert_eq!(read(&utf16(&text, of)).unwrap(), text);
            assert_eq!(read(&utf16(&marked, of)).unwrap(), text);
            // Half a character is no end.
            let bytes = utf16(&text, of);
            assert!(read(&bytes[..bytes.len() - 1]).is_err());
        }
        for name in ["ISO-8859-1", "windows-1252", "Latin1"] {
            let head = format!("<?xml version='1.0' encoding = '{name}' ?><a>");
            let bytes = [head.as_bytes(), b"\xe9 \x80</a>"].concat();
            assert_eq!(read(&bytes).unwrap(), format!("{head}é €</a>"));
        }
        // What says that it is another one, and is none.
        let text = "<?xml version='1.0' encoding='utf-16'?><a>é</a>";
        assert_eq!(read(text.as_bytes()).unwrap(), text);
    }

    #[test]
    fn others_are_refused() {
        for name in ["Shift_JIS", "utf-32", "iso-8859-15", ""] {
            let text = format!("<?xml version='1.0' encoding='{name}'?><a/>");
            let refused = Decoded::new(text.as_bytes()).err();
            assert_eq!(refused, Some(ImportError::Encoding), "{name}");
        }
        // A surrogate alone.
        assert!(read(b"<\0\0\xdc>\0").is_err());
    }
}
