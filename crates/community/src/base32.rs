//! Bytes as text that people copy: Crockford's base 32, which has no letters that look like digits.

const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Five bits a letter; the last ones are filled up with zeros.
pub(crate) fn write(bytes: &[u8]) -> String {
    let (mut text, mut held, mut bits) = (String::new(), 0u32, 0);
    for &byte in bytes {
        held = (held << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(held >> bits));
        }
    }
    if bits > 0 {
        text.push(letter(held << (5 - bits)));
    }
    text
}

/// Reads what [`write`] wrote; also capitals, and `o`, `i` and `l` for the digits that they look like.
pub(crate) fn read(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut held, mut bits) = (Vec::with_capacity(text.len() * 5 / 8), 0u32, 0);
    for letter in text.bytes() {
        held = (held << 5) | value(letter)?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    // A whole letter too many, or something in the bits that fill up: nobody wrote this.
    (bits < 5 && held == 0).then_some(bytes)
}

fn letter(bits: u32) -> char {
    char::from(LETTERS[(bits & 31) as usize])
}

fn value(letter: u8) -> Option<u32> {
    let letter = match letter.to_ascii_lowercase() {
        b'o' => b'0',
        b'i' | b'l' => b'1',
        other => other,
    };
    let place = LETTERS.iter().position(|known| *known == letter)?;
    u32::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_known_text() {
        assert_eq!(write(b""), "");
        assert_eq!(write(&[0xff]), "zw");
        assert_eq!(write(b"Hello"), "91jprv3f");
        assert_eq!(read("9IJPRV3F").as_deref(), Some(&b"Hello"[..]));
    }

    #[test]
    fn refuses_letters_and_lengths_that_nobody_wrote() {
        for wrong in ["u0", "0", "zz", "91jprv3f0", "é0", "9-"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_wrote(bytes: Vec<u8>) {
            prop_assert_eq!(read(&write(&bytes)), Some(bytes));
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "[0-9a-hjkmnp-tv-z]{0,40}") {
            if let Some(bytes) = read(&text) {
                prop_assert_eq!(write(&bytes), text);
            }
        }
    }
}
