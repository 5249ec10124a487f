//! The whole evaluation of a small network.

use std::sync::atomic::{AtomicU64, Ordering};

use overlay::Form;

use super::*;
use crate::chart::Series;

fn options() -> Options {
    Options {
        nodes: Some(2000),
        cache: 128,
        seats: 8,
        ..Options::default()
    }
}

fn figure(options: Options, which: Which) -> Figure {
    let mut evaluation = Evaluation::new(options).unwrap();
    evaluation.figure(which, &|_| ()).unwrap()
}

fn series<'a>(figure: &'a Figure, name: &str) -> &'a Series {
    let all = figure.panels.iter().flat_map(|panel| &panel.series);
    let mut named = all.filter(|series| series.name == name);
    named
        .next()
        .unwrap_or_else(|| panic!("no {name} in {}", figure.name))
}

fn values(figure: &Figure, name: &str) -> Vec<f64> {
    series(figure, name)
        .points
        .iter()
        .map(|point| point.y)
        .collect()
}

#[test]
fn figures_are_known_by_their_names() {
    for which in Which::ALL {
        assert_eq!(which.to_string().parse(), Ok(which));
    }
    for wrong in ["", "2", "all", "3 "] {
        assert_eq!(wrong.parse::<Which>(), Err(UnknownFigure));
    }
}

/// As many nodes are counted as were announced, and nothing twice that several figures need.
#[test]
fn progress_ends_where_it_should() {
    let mut evaluation = Evaluation::new(options()).unwrap();
    for which in Which::ALL {
        let expected = evaluation.steps(which);
        let counted = AtomicU64::new(0);
        let count = |nodes| {
            counted.fetch_add(nodes, Ordering::Relaxed);
        };
        let figure = evaluation.figure(which, &count).unwrap();
        assert_eq!(counted.into_inner(), expected, "{which}");
        assert!(!figure.to_svg().is_empty() && figure.to_csv().lines().count() > 5);
        let again = evaluation.steps(which);
        assert_eq!(
            again == 0,
            matches!(figure.name.as_str(), "figure-3" | "figure-4" | "figure-5")
        );
    }
}

#[test]
fn the_same_seed_draws_the_same() {
    for which in [Which::Effectiveness, Which::Cache] {
        let one = figure(options(), which);
        assert_eq!(one, figure(options(), which));
        let other = Options {
            seed: 2,
            ..options()
        };
        assert_ne!(one, figure(other, which));
    }
}

/// What §4.2 says in words.
#[test]
fn who_chooses_leaks_and_who_is_drawn_does_not() {
    let figure = figure(options(), Which::Effectiveness);
    // C = 1, 2, 20, 200: two shares are one node.
    for effectiveness in values(&figure, "SEP2P") {
        assert!((0.85..1.15).contains(&effectiveness), "{effectiveness}");
    }
    let (checked, not) = (values(&figure, "ES.AV"), values(&figure, "ES.NAV"));
    assert_eq!(checked.len(), 4);
    assert!(checked[0] > 2.0 * not[0], "{checked:?} {not:?}");
    for name in ["ES.NAV", "M.Hash"] {
        assert!(
            values(&figure, name).iter().all(|seen| *seen < 0.3),
            "{figure:?}"
        );
    }
}

#[test]
fn k_does_not_depend_on_the_size_of_a_network() {
    let options = Options {
        nodes: Some(60_000),
        ..Options::default()
    };
    let figure = figure(options, Which::Degree);
    for alpha in ["10⁻⁶", "10⁻¹⁰"] {
        let small = values(&figure, &format!("N = 10K, α = {alpha}"));
        let large = values(&figure, &format!("N = 60K, α = {alpha}"));
        // From 0.1 % on both have several colluders.
        for (one, other) in small.iter().zip(&large).skip(2) {
            assert!((one - other).abs() < 0.15, "{small:?} {large:?}");
        }
    }
    // The research prototype's numbers, at ten million nodes: 3.789 and 8.770, 6.263 and 15.144.
    let near = |name: &str, expected: [f64; 2]| {
        let found = values(&figure, name);
        assert!(
            (found[3] - expected[0]).abs() < 0.05 && (found[4] - expected[1]).abs() < 0.1,
            "{found:?}"
        );
    };
    near("N = 60K, α = 10⁻⁶", [3.789, 8.770]);
    near("N = 60K, α = 10⁻¹⁰", [6.263, 15.144]);
}

#[test]
fn larger_caches_end_moves() {
    let figure = figure(options(), Which::Cache);
    let moved = values(&figure, "Moved at least once");
    // Eight of eight on average, 16, 32.
    assert!(
        (0.3..0.7).contains(&moved[0]) && moved[1] < 0.03 && moved[2] < 1e-3,
        "{moved:?}"
    );
}

#[test]
fn every_dht_and_form_can_be_drawn() {
    let can = Options {
        dht: Dht::Can { dimensions: 2 },
        ..options()
    };
    let (chord, can) = (
        figure(options(), Which::Messages),
        figure(can, Which::Messages),
    );
    let waited = |figure: &Figure| values(figure, "SEP2P, latency")[0];
    // Half the square root of N is more than its logarithm.
    assert!(waited(&can) > waited(&chord) + 5.0);
    let sound = Options {
        form: Form::Sound,
        ..options()
    };
    let checks = |figure: &Figure| series(figure, "SEP2P, latency").points.last().unwrap().x;
    assert!(checks(&figure(sound, Which::Messages)) > checks(&chord) + 4.0);
}

/// Each statement has its number, and what must agree does, on a network that is quickly counted.
#[test]
fn the_page_compares_what_the_paper_says() {
    let options = Options {
        nodes: Some(20_000),
        ..Options::default()
    };
    let mut evaluation = Evaluation::new(options).unwrap();
    let figures = Which::ALL.map(|which| evaluation.figure(which, &|_| ()).unwrap());
    let page = evaluation
        .page(&figures, |file| format!("there/{file}"))
        .unwrap();
    assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
    let row = |source: &str, says: &str| {
        let mut rows = page
            .lines()
            .filter(|line| line.contains(source) && line.contains(says));
        rows.next()
            .unwrap_or_else(|| panic!("nothing on {says}: {page}"))
            .to_owned()
    };
    for (source, says) in [
        ("figure 3", "2k is 4 to 8"),
        ("figure 3", "far from protecting enough"),
        ("figure 4", "the longest latency"),
        ("figure 5", "the most messages"),
        ("figure 6", "does not depend on N"),
        ("figure 6", "below 6"),
        ("figure 7", "hardly ever move"),
    ] {
        assert!(row(source, says).contains("| agrees"), "{page}");
    }
    for (source, says) in [("§4.1", "never has k nodes"), ("figure 6", "saves 1 to 9")] {
        assert!(row(source, says).contains("| **differs**: "), "{page}");
    }
    assert!(page.contains("](there/figure-8.svg)"));
}

#[test]
fn absurd_options_say_what_to_change() {
    let plain = options();
    for (absurd, flag) in [
        (
            Options {
                nodes: Some(1),
                ..plain
            },
            "--nodes",
        ),
        (
            Options {
                nodes: Some(0),
                ..plain
            },
            "--nodes",
        ),
        (
            Options {
                nodes: Some(NODES_MAX + 1),
                ..plain
            },
            "--nodes",
        ),
        (
            Options {
                colluders: 120.0,
                ..plain
            },
            "--colluders",
        ),
        (
            Options {
                colluders: f64::NAN,
                ..plain
            },
            "--colluders",
        ),
        (
            Options {
                colluders: 0.0,
                ..plain
            },
            "--colluders",
        ),
        (Options { seats: 0, ..plain }, "--actors"),
        (Options { cache: 7, ..plain }, "--cache"),
        (
            Options {
                cache: 2001,
                ..plain
            },
            "--cache",
        ),
    ] {
        let why = Evaluation::new(absurd).err().map(|why| why.to_string());
        let why = why.unwrap_or_else(|| panic!("{absurd:?} was believed"));
        assert!(why.contains(flag) && !why.contains('\n'), "{why}");
    }
}

/// Two nodes, and as many as one thread barely notices.
#[test]
fn the_smallest_networks_are_drawn() {
    for nodes in [2, 3, 5, 40] {
        let tiny = Options {
            nodes: Some(nodes),
            cache: 2,
            seats: 1,
            ..Options::default()
        };
        let mut evaluation = Evaluation::new(tiny).unwrap();
        for which in Which::ALL {
            // Where half of the nodes collude, no table may exist: then it says so.
            if let Ok(figure) = evaluation.figure(which, &|_| ()) {
                assert!(figure.to_svg().ends_with("</svg>\n"), "{which}");
            }
        }
    }
}
