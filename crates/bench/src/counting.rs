//! Time and memory of counting without signing or sending: one draw for every node of a network as its setter.

use overlay::{Form, Parameters};
use selection::strategy::Strategy;
use sim::counting::{Overlay, Population, Setting, Survey, Terms};
use sim::figures::{Evaluation, Options, Which};

use crate::report::{Goal, Row};
use crate::timing::{median, time};

const LARGE: u64 = 10_000_000;
const SMALL: u64 = 10_000;
const RUNS: usize = 3;

/// Figure 6, one setting at ten million nodes, and whether large networks cost more per node than small ones.
pub fn run() -> Vec<Row> {
    let degrees = (0..RUNS).map(|_| {
        let mut evaluation = Evaluation::new(Options::default()).expect("the defaults make sense");
        let figure = || evaluation.figure(Which::Degree, &|_| ());
        let (took, figure) = time(figure);
        figure.expect("a k-table exists");
        took.as_secs_f64()
    });
    let degrees = median(degrees.collect());
    let after_figure = peak_megabytes();
    let large = median((0..RUNS).map(|_| survey(LARGE)).collect());
    let after_survey = peak_megabytes();
    // Small networks are counted until they are as many nodes.
    let small = || (0..LARGE / SMALL / 10).map(|_| survey(SMALL)).sum::<f64>() * 10.0;
    let small = median((0..RUNS).map(|_| small()).collect());
    let mut rows = vec![
        row(
            "figure 6: k of every node, N = 10M and 10K, all C and α",
            degrees,
            "s",
            5.0,
        ),
        row(
            "one setting, N = 10M: lookups, 32 of 512 chosen",
            large,
            "s",
            30.0,
        ),
        row(
            "the same, time per node over that at N = 10K",
            large / small,
            "",
            2.0,
        ),
    ];
    let memory = [
        ("figure 6, memory at most", after_figure),
        ("one setting, memory at most", after_survey),
    ];
    for (what, megabytes) in memory {
        rows.extend(megabytes.map(|megabytes| row(what, megabytes, "MB", 1000.0)));
    }
    rows
}

fn row(what: &str, value: f64, unit: &'static str, goal: f64) -> Row {
    Row {
        what: what.into(),
        value,
        unit,
        goal: Some(Goal::AtMost(goal)),
    }
}

/// Seconds of a whole survey, the making of the network included.
fn survey(nodes: u64) -> f64 {
    let terms = Terms {
        parameters: Parameters {
            form: Form::Paper,
            ..Parameters::new(nodes, nodes / 100, 1e-6)
        },
        cache: 512,
        seats: 32,
    };
    let setting = Setting::new(&terms).expect("a k-table exists");
    let (took, totals) = time(|| {
        let population = Population::new(1, nodes, nodes / 100);
        let survey = Survey {
            overlay: Overlay::Chord(&population),
            setting: &setting,
            strategy: Strategy::Paper,
            attacked: false,
            seed: 1,
        };
        survey.run(&|_| ())
    });
    assert_eq!(totals.draws, nodes);
    took.as_secs_f64()
}

/// What this process has had in memory at most, where the system tells.
fn peak_megabytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1000.0)
}
