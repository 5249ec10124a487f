//! A secret of 32 bytes as 24 words that a person can write down, and back: BIP-39 with its English list.
//!
//! Each word stands for 11 bits: 256 of the secret, then the first eight of its SHA-256, so that a wrong word is noticed but
//! for a chance of 1 in 256. The words *are* the secret; nothing is derived from them, unlike in a wallet.

use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

/// How many words a secret has.
pub const WORDS: usize = 24;

const LIST: &str = include_str!("words/english.txt");
/// How many words there are: 11 bits tell them apart.
const LISTED: usize = 2048;
const BITS: usize = 11;

/// Why words are no secret. Nothing of them is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WordsError {
    /// Too few or too many.
    #[error(
        "there are {WORDS} recovery words, and these are {0}; type all of them, in their order"
    )]
    Number(usize),
    /// Not on the list.
    #[error("word {0} is none that recovery words are made of; look at its spelling")]
    Unknown(usize),
    /// Each is on the list, and together they are none that were ever shown.
    #[error("these words do not belong together; look whether one is wrong, or in the wrong place")]
    Sum,
}

/// The secret as words, one space between two. Erased when dropped.
pub fn words_of(secret: &[u8; 32]) -> Zeroizing<String> {
    let list: Vec<&str> = LIST.lines().collect();
    let bytes = with_sum(secret);
    // Allocated at once: a growing string would leave copies behind. No word is longer than eight letters.
    let mut text = Zeroizing::new(String::with_capacity(WORDS * 9));
    for word in 0..WORDS {
        let bits = word * BITS..(word + 1) * BITS;
        let place = bits.fold(0, |place, bit| {
            place << 1 | usize::from(bytes[bit / 8] >> (7 - bit % 8) & 1)
        });
        if word > 0 {
            text.push(' ');
        }
        text.push_str(list[place]);
    }
    text
}

/// The words in a text: those that are numbered, if [`WORDS`] are, whatever is said besides; or all. Numbers before them, as
/// people write lists down, are none.
pub fn words_in(text: &str) -> Vec<&str> {
    let number = |word: &str| word.trim_end_matches(['.', ')', ':']).parse::<usize>().ok();
    let mut numbered = Vec::with_capacity(WORDS);
    let mut tokens = text.split_whitespace();
    while let Some(token) = tokens.next() {
        if numbered.len() < WORDS && number(token) == Some(1) {
            numbered.clear();
        }
        if number(token) == Some(numbered.len() + 1) {
            numbered.extend(tokens.next());
        }
    }
    if numbered.len() == WORDS {
        return numbered;
    }
    let all = text.split_whitespace();
    all.filter(|word| number(word).is_none()).collect()
}

/// The secret that these words are, whatever is between them and in whichever case.
///
/// # Errors
///
/// See [`WordsError`].
pub fn secret_of(words: &str) -> Result<Zeroizing<[u8; 32]>, WordsError> {
    let words = words_in(words);
    if words.len() != WORDS {
        return Err(WordsError::Number(words.len()));
    }
    let list: Vec<&str> = LIST.lines().collect();
    let mut bytes = Zeroizing::new([0; 33]);
    for (index, word) in words.into_iter().enumerate() {
        let word = Zeroizing::new(word.to_lowercase());
        let place = list.binary_search(&word.as_str());
        let place = place.map_err(|_| WordsError::Unknown(index + 1))?;
        for bit in 0..BITS {
            let set = (place >> (BITS - 1 - bit) & 1) as u8;
            let at = index * BITS + bit;
            bytes[at / 8] |= set << (7 - at % 8);
        }
    }
    let mut secret = Zeroizing::new([0; 32]);
    secret.copy_from_slice(&bytes[..32]);
    if with_sum(&secret)[32] != bytes[32] {
        return Err(WordsError::Sum);
    }
    Ok(secret)
}

fn with_sum(secret: &[u8; 32]) -> Zeroizing<[u8; 33]> {
    let mut bytes = Zeroizing::new([0; 33]);
    bytes[..32].copy_from_slice(secret);
    bytes[32] = Sha256::digest(secret)[0];
    bytes
}

// What the lookups above rest on.
const _: () = assert!(WORDS * BITS == 33 * 8 && 1 << BITS == LISTED);

#[cfg(test)]
mod tests {
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;

    /// The list of BIP-39, as everybody has it.
    #[test]
    fn the_list_is_the_one_that_others_use() {
        let digest: [u8; 32] = Sha256::digest(LIST).into();
        let known = hex!("2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
        assert_eq!(digest, known);
        let list: Vec<&str> = LIST.lines().collect();
        assert_eq!(list.len(), LISTED);
        assert!(list.is_sorted() && list.iter().all(|word| word.len() <= 8));
    }

    /// Test vectors of BIP-39 (the reference implementation's vectors.json) with 256 bits.
    #[test]
    fn words_are_those_of_the_specification() {
        let repeated =
            |first: &str, times, last: &str| format!("{}{last}", format!("{first} ").repeat(times));
        for (secret, words) in [
            ([0; 32], repeated("abandon", 23, "art")),
            (
                [0x7f; 32],
                repeated("legal winner thank year wave sausage worth useful", 2, "legal winner thank year wave sausage worth title"),
            ),
            (
                [0x80; 32],
                repeated("letter advice cage absurd amount doctor acoustic avoid", 2, "letter advice cage absurd amount doctor acoustic bless"),
            ),
            ([0xff; 32], repeated("zoo", 23, "vote")),
            (
                hex!("68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c"),
                "hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length".into(),
            ),
            (
                hex!("f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f"),
                "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold".into(),
            ),
        ] {
            assert_eq!(*words_of(&secret), words);
            assert_eq!(*secret_of(&words).unwrap(), secret);
        }
    }

    #[test]
    fn what_is_typed_may_have_any_spaces_and_capitals() {
        let words = words_of(&[7; 32]);
        let typed = format!("\n  {}\t\n", words.to_uppercase().replace(' ', " \n "));
        assert_eq!(*secret_of(&typed).unwrap(), [7; 32]);
        let listed: Vec<_> = words
            .split(' ')
            .enumerate()
            .map(|(at, word)| format!("{:>2}. {word}\n", at + 1))
            .collect();
        assert_eq!(*secret_of(&listed.concat()).unwrap(), [7; 32]);
        assert_eq!(
            *secret_of(&listed.concat().replace('.', "")).unwrap(),
            [7; 32]
        );
    }

    #[test]
    fn what_is_said_around_numbered_words_is_none_of_them() {
        let words = words_of(&[7; 32]);
        let listed: Vec<_> = words
            .split(' ')
            .enumerate()
            .map(|(at, word)| format!("{:>2} {word}  ", at + 1))
            .collect();
        let said = "The key of the vault is kept by the file of node 1 there.\n";
        let text = format!(
            "{said}{}\nKeep these 24 words apart. 1 copy will do.",
            listed.concat()
        );
        assert_eq!(*secret_of(&text).unwrap(), [7; 32]);
        // One that is missing is not made up from what follows.
        let short = format!("{said}{}", listed[..23].concat());
        assert!(matches!(secret_of(&short), Err(WordsError::Number(_))));
    }

    #[test]
    fn each_mistake_is_named_and_nothing_of_the_words_is_said() {
        let words = words_of(&[7; 32]);
        let list: Vec<&str> = words.split(' ').collect();
        assert_eq!(secret_of(""), Err(WordsError::Number(0)));
        assert_eq!(
            secret_of(&list[..23].join(" ")),
            Err(WordsError::Number(23))
        );
        assert_eq!(
            secret_of(&format!("{} zoo", *words)),
            Err(WordsError::Number(25))
        );
        let mut wrong = list.clone();
        wrong[4] = "secretly";
        let why = secret_of(&wrong.join(" ")).unwrap_err();
        assert_eq!(why, WordsError::Unknown(5));
        assert!(!why.to_string().contains("secretly"));
        let mut swapped = list.clone();
        swapped.swap(0, 23);
        assert_eq!(secret_of(&swapped.join(" ")), Err(WordsError::Sum));
    }

    proptest! {
        #[test]
        fn secrets_survive_their_words(secret: [u8; 32]) {
            prop_assert_eq!(*secret_of(&words_of(&secret)).unwrap(), secret);
        }

        #[test]
        fn any_text_is_refused_or_read(text in "\\PC{0,200}") {
            let _ = secret_of(&text);
        }
    }
}
