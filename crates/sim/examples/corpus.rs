//! Writes the corpora from which fuzzing starts: one or two of each kind of message of a simulated question, and what is
//! stored. Run in the project's folder: `cargo run -p sim --example corpus`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use aggregation::statistic::{Buckets, Declaration, Domain, Measure, Statistic, Value};
use base::{Digest, Duration, Rng, encode};
use community::{Column, Kind, Range};
use crypto::{LockCost, lock, words_of};
use selection::Selection;
use selection::strategy::{Setup, Strategy, StrategyNode};
use sim::community::{Settings, World};
use sim::drawing::{Outcome as DrawOutcome, Question as DrawQuestion, Scene, play};
use sim::hostile::{contributions, crowd};

/// Longest sample: mutations of long ones find little.
const LEN_MAX: usize = 12_000;
/// Samples of one kind.
const OF_A_KIND: usize = 2;

const QUESTIONS: [&str; 20] = [
    "SELECT AVG(hours) FROM sleep",
    "SELECT COUNT(*) FROM sleep WHERE hours > 7.5 AND hours <= 9",
    "SELECT SUM(hours) FROM sleep WHERE NOT (hours IS NULL OR hours BETWEEN 1 AND 2)",
    "select sum ( hours ) from sleep -- comment",
    "SELECT QUANTILE(hours, 0.9, 2.5) FROM sleep GROUP BY BUCKET(hours, 10)",
    "SELECT TOP(BUCKET(hours), 3) FROM sleep",
    "SELECT CORR(hours, hours * hours) FROM sleep",
    "SELECT KURTOSIS(h) FROM (SELECT SUM(hours) AS h, COUNT(*) AS n FROM sleep HAVING COUNT(*) <= 7) WHERE n > 1",
    "SELECT AVG(hours) FROM sleep; DROP TABLE sleep",
    "SELECT hours FROM sleep",
    "SELECT COUNT(*) FROM sleep WHERE ((((((((hours = 1))))))))",
    "SELECT SUM(hours + 99999999999999999999) FROM sleep",
    "SELECT LOGISTIC(hours < 7, hours * hours, 0.5, -1.25, 0.001) FROM sleep GROUP BY BUCKET(hours, 10)",
    "SELECT LOGISTIC(n > 3, h) FROM (SELECT AVG(hours) AS h, COUNT(*) AS n FROM sleep)",
    "SELECT COUNT(*) FROM sleep JOIN salaries ON 1 = 1",
    "SELECT MEDIAN(hours) FROM sleep WHERE hours IN (SELECT pay FROM salaries)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n",
    "PRAGMA rekey = 'x'",
    "SELECT COUNT(*) FROM sleep WHERE hours < 1e999 OR hours > 0x7fffffffffffffffffff",
    "SELECT SUM(ABS(-(ABS(-(ABS(-(ABS(-(ABS(-(hours)))))))))) FROM sleep",
];

fn main() -> std::io::Result<()> {
    let mut settings = Settings::of(12);
    settings.listen = true;
    let mut world = World::new(1, &settings);
    world.meet();
    let outcome = world.ask("SELECT AVG(hours) FROM sleep", Duration::from_secs(10));
    let mut kinds: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for (_, node) in world.simulation.running() {
        for (_, bytes) in node.heard() {
            // Version, then arrays and numbers of the variants.
            let kind = bytes.iter().take(6).copied().collect();
            let samples = kinds.entry(kind).or_default();
            if bytes.len() <= LEN_MAX && samples.len() < OF_A_KIND && !samples.contains(bytes) {
                samples.push(bytes.clone());
            }
        }
    }
    for sample in kinds.into_values().flatten() {
        write("message", &sample)?;
    }
    for answer in &outcome.answers {
        write("proof", &answer.proof)?;
        write("proof", &answer.proof[..answer.proof.len() / 2])?;
    }
    write("descriptor", &encode(world.community.signed()))?;
    for (_, node) in world.simulation.running().take(2) {
        let contact = node.inner().own_contact();
        write("contact", &encode(contact))?;
        write("certificate", contact.certificate().der())?;
    }
    for question in QUESTIONS {
        write("question", question.as_bytes())?;
    }
    for contribution in contributions() {
        write("contribution", &contribution)?;
    }
    let cheap = LockCost {
        memory_kib: 16,
        passes: 1,
        lanes: 1,
    };
    let rng = &mut Rng::from_number(1);
    write("locked", &lock(b"secret", "open sesame", "key", cheap, rng))?;
    write("words", words_of(&rng.bytes32()).as_bytes())?;
    write_selections()?;
    write_statistics()
}

/// What each way to draw ends with.
fn write_selections() -> std::io::Result<()> {
    let crowd = Arc::new(crowd());
    let question = DrawQuestion {
        digest: Digest::of("corpus", &[]),
        trigger: crowd.contact(0).node(),
        seats: 4,
    };
    let scene = Scene {
        crowd: Arc::clone(&crowd),
        setup: (),
        gang: None,
        away_per_million: 0,
        seed: 1,
        listener: None,
    };
    if let DrawOutcome::Drawn(list) = play::<Selection>(&scene, question).outcome {
        write("list", &encode(&*list))?;
    }
    for strategy in Strategy::ALL {
        let setup = Setup {
            strategy,
            region_size: 1.0,
        };
        let scene = Scene {
            crowd: Arc::clone(&crowd),
            setup,
            gang: None,
            away_per_million: 0,
            seed: 1,
            listener: None,
        };
        if let DrawOutcome::Drawn(selected) = play::<StrategyNode>(&scene, question).outcome {
            write("selected", &encode(&*selected))?;
        }
    }
    Ok(())
}

/// One of each kind of measure, with the totals of three people.
fn write_statistics() -> std::io::Result<()> {
    let number = |name: &str, max| Column {
        name: name.into(),
        kind: Kind::Number(Range {
            decimals: 0,
            min: 0,
            max,
        }),
    };
    let words = ["red", "green"].map(String::from).to_vec();
    let colour = Column {
        name: "colour".into(),
        kind: Kind::Category(words),
    };
    let row = |y, x| [Value::Number(y), Value::Number(x), Value::Word("red")];
    for (measure, rows) in measures() {
        let statistic = Statistic::new(Declaration {
            columns: vec![number("y", 1), number("x", 9), colour.clone()],
            group_by: vec![Domain::Words(2)],
            measure,
            contributors: 100,
            rows,
        })
        .expect("a sound declaration");
        let mut totals = vec![0; statistic.layout().len()];
        for row in [row(0, 1), row(1, 2), row(0, 4)] {
            let one = statistic.encode(&[row]).expect("a sound row");
            totals
                .iter_mut()
                .zip(one)
                .for_each(|(sum, part)| *sum += part);
        }
        write("statistic", &encode(&(statistic.declaration(), totals)))?;
    }
    Ok(())
}

/// With the number of rows that one person may have.
fn measures() -> Vec<(Measure, u16)> {
    let buckets = Buckets {
        column: 1,
        starts: vec![2, 5],
    };
    let moments = Measure::Moments {
        column: 1,
        order: 4,
    };
    let quantiles = Measure::Quantiles {
        buckets,
        levels: vec![500_000],
    };
    let linear = Measure::Linear {
        response: 0,
        predictors: vec![1],
    };
    let logistic = Measure::Logistic {
        response: 0,
        predictors: vec![1],
        weights: vec![-1, 1],
        weight_decimals: 1,
        decimals: 3,
    };
    vec![
        (Measure::Mean { column: 1 }, 3),
        (moments, 1),
        (quantiles, 2),
        (linear, 1),
        (logistic, 1),
    ]
}

fn write(target: &str, sample: &[u8]) -> std::io::Result<()> {
    let folder = Path::new("fuzz/corpus").join(target);
    fs::create_dir_all(&folder)?;
    let name = Digest::of("corpus", &[sample]).to_string();
    fs::write(folder.join(&name[..16]), sample)
}
