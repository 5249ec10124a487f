//! A failed check says how to see it again.

use std::fmt;

/// Prints itself when the test that holds it fails:
/// `rerun: SEED=7 cargo test -p sim committee_survives_a_partition -- --exact --nocapture`.
///
/// Hold it in a variable for as long as the checks last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rerun {
    package: String,
    test: String,
    seed: u64,
}

impl Rerun {
    /// For the test with this full path (`module::name`) in this package, run with this seed.
    pub fn new(package: &str, test: &str, seed: u64) -> Self {
        Self {
            package: package.to_owned(),
            test: test.to_owned(),
            seed,
        }
    }
}

impl fmt::Display for Rerun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            package,
            test,
            seed,
        } = self;
        write!(
            f,
            "rerun: SEED={seed} cargo test -p {package} {test} -- --exact --nocapture"
        )
    }
}

impl Drop for Rerun {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{self}");
        }
    }
}

/// The seed that a rerun line gave, in the environment variable `SEED`; `default` without one.
///
/// # Panics
///
/// When `SEED` is not a number: a rerun of another run would mislead.
pub fn seed_or(default: u64) -> u64 {
    parse(std::env::var("SEED").ok().as_deref(), default)
}

fn parse(seed: Option<&str>, default: u64) -> u64 {
    seed.map_or(default, |text| {
        text.parse().expect("SEED is a number below 2^64")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_line_that_a_shell_understands() {
        let line = Rerun::new("sim", "partition::heals", 42).to_string();
        assert_eq!(
            line,
            "rerun: SEED=42 cargo test -p sim partition::heals -- --exact --nocapture"
        );
    }

    #[test]
    fn takes_the_seed_of_a_rerun() {
        assert_eq!(parse(None, 7), 7);
        assert_eq!(parse(Some("42"), 7), 42);
    }

    #[test]
    #[should_panic(expected = "SEED is a number")]
    fn refuses_a_seed_that_is_none() {
        parse(Some("forty-two"), 7);
    }
}
