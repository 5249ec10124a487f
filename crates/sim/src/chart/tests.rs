//! Whole figures: what a reader of the document can rely on.

use super::*;

fn axis(label: &str, scale: Scale, ticks: Ticks) -> Axis {
    Axis {
        label: label.to_owned(),
        scale,
        ticks,
    }
}

#[test]
#[ignore]
fn look() {
    let look = |c, mark, hollow, dashed| Look {
        colour: Colour::Palette(c),
        mark,
        hollow,
        dashed,
    };
    let marks = [Mark::Circle, Mark::Square, Mark::Triangle, Mark::Diamond];
    let pt = |x, y| Point {
        x,
        y,
        label: None,
        spread: None,
    };
    let cs = ["0.001 %", "0.01 %", "0.1 %", "1 %", "10 %"];
    let k = [2.0, 2.3, 2.9, 3.8, 8.0];
    let names = ["SEP2P", "ES.NAV", "ES.AV", "M.Hash"];
    let eff = |s: usize, i: usize| match s {
        0 => 1.0 - 0.00 * i as f64,
        1 => [0.9, 0.7, 0.31, 0.05, 0.1][i],
        2 => [0.97, 0.88, 0.4, 0.06, 0.1][i],
        _ => [0.99, 0.92, 0.6, 0.2, 0.11][i],
    };
    let cost = |s: usize, i: usize| {
        2.0 * k[i]
            + match s {
                0 | 1 => 0.0,
                2 => 33.0,
                _ => 32.0,
            }
    };
    let f3 = Figure {
        name: "figure-3".into(),
        title: "Security effectiveness against verification cost".into(),
        setting:
            "N = 100 000, A = 32, α = 10⁻⁶, node cache 512; each node once as the execution setter"
                .into(),
        panels: vec![Panel {
            x: axis(
                "Verification cost (asymmetric operations per verifier)",
                Scale::Linear,
                Ticks::Plain,
            ),
            y: axis(
                "Security effectiveness (1 = ideal)",
                Scale::Linear,
                Ticks::Plain,
            ),
            series: (0..4)
                .map(|s| Series {
                    name: names[s].into(),
                    look: look(s, marks[s], false, false),
                    points: (0..5)
                        .map(|i| Point {
                            x: cost(s, i),
                            y: eff(s, i),
                            label: Some(cs[i].into()),
                            spread: None,
                        })
                        .collect(),
                })
                .collect(),
        }],
    };
    let mess = |s: usize, i: usize, total: bool| {
        let b = [30.0, 22.0, 22.0, 22.5][s] + k[i];
        if total {
            b * [4.0, 2.0, 2.5, 30.0][s] * k[i] / 2.0
        } else {
            b
        }
    };
    let p5 = |y: &str, f: &dyn Fn(usize, usize, bool) -> f64| Panel {
        x: axis(
            "Verification cost (asymmetric operations per verifier)",
            Scale::Linear,
            Ticks::Plain,
        ),
        y: axis(y, Scale::Log, Ticks::Plain),
        series: (0..4)
            .flat_map(|s| [true, false].map(|t| (s, t)))
            .map(|(s, total)| Series {
                name: format!(
                    "{}, {}",
                    names[s],
                    if total { "total work" } else { "latency" }
                ),
                look: look(s, marks[s], !total, false),
                points: (0..5)
                    .map(|i| Point {
                        x: cost(s, i),
                        y: f(s, i, total),
                        label: (s == 0).then(|| cs[i].into()),
                        spread: Some(Spread {
                            largest: 0.0,
                            deviation: if total { f(s, i, total) * 0.3 } else { 1.0 },
                        }),
                    })
                    .collect(),
            })
            .collect(),
    };
    let f5 = Figure {
        name: "figure-5".into(),
        title: "Setup cost: messages".into(),
        setting: f3.setting.clone(),
        panels: vec![p5("Messages exchanged during setup", &mess)],
    };
    let f45 = Figure { name: "figure-45".into(), title: "Setup cost of the four strategies, in asymmetric crypto-operations and in messages, against verification cost: a title too long for one line".into(), setting: f3.setting.clone(), panels: vec![p5("Asymmetric operations", &|s, i, t| mess(s, i, t) * 1.5 - 25.0), p5("Messages exchanged during setup", &mess)] };
    let c = [0.001, 0.01, 0.1, 1.0, 10.0];
    let f6 = Figure {
        name: "figure-6".into(),
        title: "Average k against the share of colluding nodes".into(),
        setting: "Each node once as the execution setter; deviation as thin lines".into(),
        panels: vec![Panel {
            x: axis("Colluding nodes, C", Scale::Log, Ticks::Percent),
            y: axis("Average k", Scale::Linear, Ticks::Plain),
            series: (0..5)
                .map(|s| Series {
                    name: [
                        "N = 10 M, α = 10⁻¹⁰, no k-table",
                        "N = 10 M, α = 10⁻¹⁰",
                        "N = 10 K, α = 10⁻¹⁰",
                        "N = 10 M, α = 10⁻⁶",
                        "N = 10 K, α = 10⁻⁶",
                    ][s]
                        .into(),
                    look: Look {
                        colour: if s == 0 {
                            Colour::Grey
                        } else {
                            Colour::Palette((s - 1) / 2)
                        },
                        mark: marks[(s + 3) % 4],
                        hollow: s == 2 || s == 4,
                        dashed: s == 0,
                    },
                    points: (0..5)
                        .filter(|i| s % 2 == 1 || s == 0 || *i > 0)
                        .map(|i| Point {
                            x: c[i],
                            y: [3.0, 4.0, 5.5, 9.0, 34.0][i] * [1.0, 0.75, 0.72, 0.55, 0.5][s],
                            label: None,
                            spread: Some(Spread {
                                largest: 9.0,
                                deviation: 0.5 + i as f64 / 3.0,
                            }),
                        })
                        .collect(),
                })
                .collect(),
        }],
    };
    let f8 = Figure {
        name: "figure-8".into(),
        title: "Maintenance overhead against the size of the node cache".into(),
        setting: "N = 100 000, C = 1 %, α = 10⁻⁶".into(),
        panels: vec![Panel {
            x: axis("Node cache (nodes)", Scale::Log, Ticks::Binary),
            y: axis("Signatures per node and minute", Scale::Log, Ticks::Plain),
            series: (0..5)
                .map(|s| Series {
                    name: format!("MTBF {}", ["1 h", "3 h", "12 h", "1 d", "5 d"][s]),
                    look: look(s, marks[s % 4], s == 4, false),
                    points: (3..16)
                        .map(|e| {
                            pt(
                                2f64.powi(e),
                                2f64.powi(e) * 0.02 / [1.0, 3.0, 12.0, 24.0, 120.0][s] + 0.004,
                            )
                        })
                        .collect(),
                })
                .collect(),
        }],
    };
    let single = |x: &[f64], y: &[f64], xs, ys, kind| Panel {
        x: axis("x", xs, kind),
        y: axis("y", ys, kind),
        series: vec![Series {
            name: "one".into(),
            look: look(7, Mark::Circle, false, true),
            points: x
                .iter()
                .zip(y)
                .map(|(x, y)| Point {
                    x: *x,
                    y: *y,
                    label: Some(format!("{x} {y}")),
                    spread: None,
                })
                .collect(),
        }],
    };
    let odd = Figure {
        name: "odd".into(),
        title: "Odd <cases> & \"more\"".into(),
        setting: String::new(),
        panels: vec![
            single(&[5.0], &[7.0], Scale::Linear, Scale::Log, Ticks::Plain),
            single(
                &[3.0, 3.0],
                &[2.0, 2.0],
                Scale::Log,
                Scale::Linear,
                Ticks::Binary,
            ),
            single(
                &[1e-8, 1.0, 0.0, 100.0, 1e8],
                &[1e8, 1e-8, 1.0, f64::NAN, 3.0],
                Scale::Log,
                Scale::Linear,
                Ticks::Plain,
            ),
            single(
                &[1.0, 24.0, 120.0],
                &[1.0, 36.0, 90.0],
                Scale::Log,
                Scale::Linear,
                Ticks::Hours,
            ),
            single(&[], &[], Scale::Log, Scale::Linear, Ticks::Percent),
        ],
    };
    for f in [f3, f5, f45, f6, f8, odd] {
        std::fs::write(format!("/tmp/chart-{}.svg", f.name), f.to_svg()).unwrap();
    }
}
