//! Whole figures: what a reader of the document can rely on.

mod document;

use proptest::prelude::*;

use self::document::Element;
use super::*;

fn axis(label: &str, scale: Scale, ticks: Ticks) -> Axis {
    let label = label.to_owned();
    Axis {
        label,
        scale,
        ticks,
    }
}

fn point(x: f64, y: f64) -> Point {
    let (label, spread) = (None, None);
    Point {
        x,
        y,
        label,
        spread,
    }
}

fn series(name: &str, points: Vec<Point>) -> Series {
    let look = Look {
        colour: Colour::Palette(0),
        mark: Mark::Circle,
        hollow: false,
        dashed: false,
    };
    let name = name.to_owned();
    Series { name, look, points }
}

/// One panel: percent to the right, plain upwards.
fn figure(scales: (Scale, Scale), series: Vec<Series>) -> Figure {
    let panel = Panel {
        x: axis("Colluding nodes", scales.0, Ticks::Percent),
        y: axis("k, average", scales.1, Ticks::Plain),
        series,
    };
    Figure {
        name: "figure".to_owned(),
        title: "Security degree".to_owned(),
        setting: "N = 100 000".to_owned(),
        panels: vec![panel],
    }
}

fn elements(figure: &Figure) -> Vec<Element> {
    document::read(&figure.to_svg()).1
}

fn count(elements: &[Element], tag: &str) -> usize {
    elements.iter().filter(|element| element.tag == tag).count()
}

/// Polylines of the palette's first colour; the last one is the legend's.
fn curves(elements: &[Element]) -> Vec<&Element> {
    let colour = Some("#0062A8");
    let stroke =
        |element: &&Element| element.attributes.get("stroke").map(String::as_str) == colour;
    let lines = elements.iter().filter(|element| element.tag == "polyline");
    lines.filter(stroke).collect()
}

#[test]
fn says_what_it_shows_and_scales_to_any_width() {
    let figure = figure(
        (Scale::Linear, Scale::Linear),
        vec![series("SEP2P", vec![point(1.0, 2.0)])],
    );
    let (root, elements) = document::read(&figure.to_svg());
    assert_eq!(root["width"], "860");
    assert_eq!(root["viewBox"], format!("0 0 8600 {}0", root["height"]));
    let texts: Vec<_> = elements
        .iter()
        .map(|element| element.text.as_str())
        .collect();
    for text in [
        "Security degree",
        "N = 100 000",
        "Colluding nodes",
        "k, average",
        "SEP2P",
    ] {
        assert!(texts.contains(&text), "{text} in {texts:?}");
    }
}

#[test]
fn names_are_escaped() {
    let name = "<script> & \"quotes\" '\u{1b}[0m";
    let mut figure = figure(
        (Scale::Linear, Scale::Linear),
        vec![series(name, Vec::new())],
    );
    figure.title = "</text></svg>".to_owned();
    let elements = elements(&figure);
    let texts: Vec<_> = elements
        .iter()
        .map(|element| element.text.as_str())
        .collect();
    assert!(texts.contains(&"</text></svg>"));
    assert!(texts.contains(&"<script> & \"quotes\" ' [0m"));
}

#[test]
fn a_curve_goes_where_its_points_are() {
    let points = vec![point(0.01, 0.0), point(0.1, 5.0), point(1.0, 10.0)];
    let elements = elements(&figure(
        (Scale::Log, Scale::Linear),
        vec![series("k", points)],
    ));
    let line = curves(&elements)[0].points();
    let [first, middle, last] = line[..] else {
        panic!("{line:?}")
    };
    let off = [
        first.0 + last.0 - 2 * middle.0,
        first.1 + last.1 - 2 * middle.1,
    ];
    assert!(off.iter().all(|off| off.abs() <= 1), "but for rounding");
    assert!(first.0 < last.0 && first.1 > last.1);
}

#[test]
fn what_cannot_be_shown_is_a_gap() {
    let nothing = [0.0, -1.0, f64::NAN, f64::INFINITY];
    for y in nothing {
        let points = [1.0, 2.0, y, 3.0, y, 4.0, 5.0, 6.0].map(|y| point(1.0, y));
        let figure = figure(
            (Scale::Linear, Scale::Log),
            vec![series("k", points.to_vec())],
        );
        let elements = elements(&figure);
        let lengths: Vec<_> = curves(&elements)
            .iter()
            .map(|line| line.points().len())
            .collect();
        assert_eq!(lengths, [2, 1, 3, 2], "three runs and the legend for {y}");
        // A rim for each.
        assert_eq!(count(&elements, "circle"), 2 * (6 + 1));
        assert_eq!(
            figure.to_csv().lines().count(),
            1 + 8,
            "all are in the table"
        );
    }
}

#[test]
fn looks_differ() {
    let with = |change: fn(&mut Series)| {
        let points = vec![point(1.0, 1.0), point(9.0, 9.0)];
        let mut series = series("k", points);
        change(&mut series);
        elements(&figure((Scale::Linear, Scale::Linear), vec![series]))
    };
    let plain = with(|_| ());
    assert!(curves(&with(|it| it.look.dashed = true)).len() > 10);
    assert_eq!(curves(&plain).len(), 2);
    let white = |elements: &[Element]| {
        let filled = |element: &&Element| {
            element
                .attributes
                .get("fill")
                .is_some_and(|it| it == "#FFFFFF")
        };
        elements
            .iter()
            .filter(filled)
            .filter(|element| element.tag == "circle")
            .count()
    };
    assert_eq!(
        (white(&plain), white(&with(|it| it.look.hollow = true))),
        (0, 3)
    );
    for mark in [Mark::Square, Mark::Triangle, Mark::Diamond] {
        let mut series = series("k", vec![point(1.0, 1.0)]);
        series.look.mark = mark;
        let elements = elements(&figure((Scale::Linear, Scale::Linear), vec![series]));
        assert_eq!(
            (count(&elements, "circle"), count(&elements, "polygon")),
            (0, 2)
        );
    }
    assert!(
        curves(&with(|it| it.look.colour = Colour::Palette(8))).len() == 2,
        "goes round"
    );
    assert!(curves(&with(|it| it.look.colour = Colour::Grey)).is_empty());
}

#[test]
fn labels_and_deviations_are_drawn() {
    let mut points = vec![point(1.0, 4.0), point(2.0, 8.0)];
    points[0].label = Some("10 %".to_owned());
    points[1].spread = Some(Spread {
        largest: 100.0,
        deviation: 2.0,
    });
    let elements = elements(&figure(
        (Scale::Linear, Scale::Linear),
        vec![series("k", points)],
    ));
    assert!(elements.iter().any(|element| element.text == "10 %"));
    let upright = |element: &&Element| {
        let points = element.points();
        element.tag == "polyline"
            && points.len() == 2
            && points[0].0 == points[1].0
            && element.attributes["stroke"] == "#80B1D4"
    };
    let deviations: Vec<_> = elements.iter().filter(upright).collect();
    assert_eq!(deviations.len(), 1);
    let line = deviations[0].points();
    let above = |element: &&Element| element.number("cx") == Some(line[0].0.into());
    let mark = elements
        .iter()
        .find(above)
        .and_then(|element| element.number("cy"));
    assert_eq!(
        mark,
        Some(f64::from(line[0].1 + line[1].1) / 2.0),
        "around the mean"
    );
}

#[test]
fn the_table_has_every_point() {
    let mut points = vec![point(0.001, 2.0), point(10.0, f64::NAN)];
    points[0].spread = Some(Spread {
        largest: 3.0,
        deviation: 0.25,
    });
    points[0].label = Some("so \"few\"".to_owned());
    let figure = figure(
        (Scale::Log, Scale::Linear),
        vec![series("N = 1, 2", points)],
    );
    let table = "panel,series,x,y,largest,deviation,label\n\
        \"k, average\",\"N = 1, 2\",0.001,2,3,0.25,\"so \"\"few\"\"\"\n\
        \"k, average\",\"N = 1, 2\",10,NaN,,,\n";
    assert_eq!(figure.to_csv(), table);
}

#[test]
fn there_may_be_nothing_to_show() {
    let none = Figure {
        panels: Vec::new(),
        ..figure((Scale::Log, Scale::Log), Vec::new())
    };
    assert_eq!(count(&elements(&none), "text"), 2);
    let unnamed = Figure {
        name: String::new(),
        title: String::new(),
        setting: String::new(),
        panels: Vec::new(),
    };
    assert_eq!(count(&elements(&unnamed), "text"), 0);
    let empty = figure((Scale::Log, Scale::Linear), vec![series("", Vec::new())]);
    assert!(count(&elements(&empty), "text") > 6, "axes are there");
}

/// Left and right end of each text, by the height at which it stands.
fn rows(elements: &[Element]) -> Vec<(f64, f64, f64)> {
    let texts = elements.iter().filter(|element| element.tag == "text");
    let row = |element: &Element| {
        let size = element.number("font-size").unwrap();
        let width = f64::from(words::width(&element.text, size.round() as i32));
        let x = element.number("x").unwrap();
        let left = match element.attributes["text-anchor"].as_str() {
            "start" => x,
            "middle" => x - width / 2.0,
            _ => x - width,
        };
        (element.number("y").unwrap(), left, left + width)
    };
    let mut rows: Vec<_> = texts.map(row).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    rows
}

fn a_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..100.0,
        2 => (-300f64..300.0).prop_map(|power| 10f64.powf(power)),
        1 => any::<f64>(),
        1 => prop::sample::select(vec![0.0, -0.0, 1.0, 1e-8, 1e8, f64::NAN, f64::INFINITY, f64::MIN, f64::MAX]),
    ]
}

fn a_point() -> impl Strategy<Value = Point> {
    let label = prop::option::weighted(0.3, ".{0,12}");
    let spread = prop::option::weighted(0.3, (a_number(), a_number()));
    (a_number(), a_number(), label, spread).prop_map(|(x, y, label, spread)| Point {
        x,
        y,
        label,
        spread: spread.map(|(largest, deviation)| Spread { largest, deviation }),
    })
}

fn a_series() -> impl Strategy<Value = Series> {
    let marks = prop::sample::select(vec![
        Mark::Circle,
        Mark::Square,
        Mark::Triangle,
        Mark::Diamond,
    ]);
    let colours = prop_oneof![any::<usize>().prop_map(Colour::Palette), Just(Colour::Grey)];
    let looks = (colours, marks, any::<bool>(), any::<bool>());
    let points = prop::collection::vec(a_point(), 0..12);
    (".{0,60}", looks, points).prop_map(|(name, (colour, mark, hollow, dashed), points)| Series {
        name,
        look: Look {
            colour,
            mark,
            hollow,
            dashed,
        },
        points,
    })
}

fn an_axis() -> impl Strategy<Value = Axis> {
    let scales = prop::sample::select(vec![Scale::Linear, Scale::Log]);
    let ticks = prop::sample::select(vec![
        Ticks::Plain,
        Ticks::Percent,
        Ticks::Binary,
        Ticks::Hours,
    ]);
    (".{0,40}", scales, ticks).prop_map(|(label, scale, ticks)| Axis {
        label,
        scale,
        ticks,
    })
}

fn a_figure() -> impl Strategy<Value = Figure> {
    let panel = (
        an_axis(),
        an_axis(),
        prop::collection::vec(a_series(), 0..5),
    );
    let panel = panel.prop_map(|(x, y, series)| Panel { x, y, series });
    let panels = prop::collection::vec(panel, 0..3);
    (".{0,80}", ".{0,80}", panels).prop_map(|(title, setting, panels)| Figure {
        name: "any".to_owned(),
        title,
        setting,
        panels,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_figure_is_a_document_with_everything_inside_it(figure in a_figure()) {
        let svg = figure.to_svg();
        prop_assert_eq!(&svg, &figure.to_svg(), "the same each time");
        let (root, elements) = document::read(&svg);
        let height: f64 = root["height"].parse::<f64>().unwrap() * 10.0;
        let inside = |x: f64, y: f64| (0.0..=8600.0).contains(&x) && (0.0..=height).contains(&y);
        for (y, left, right) in rows(&elements) {
            prop_assert!(inside(left, y) && inside(right, y), "text from {left} to {right} at {y}");
        }
        for element in &elements {
            prop_assert!(element.points().iter().all(|(x, y)| inside((*x).into(), (*y).into())));
            if let (Some(x), Some(y)) = (element.number("cx"), element.number("cy")) {
                prop_assert!(inside(x, y));
            }
        }
        prop_assert!(figure.to_csv().starts_with("panel,series,x,y"));
    }

    #[test]
    fn texts_in_a_row_do_not_touch(mut figure in a_figure()) {
        for series in figure.panels.iter_mut().flat_map(|panel| &mut panel.series) {
            // The legend and labels of points may stand at any height.
            series.name.clear();
            series.points.iter_mut().for_each(|point| point.label = None);
        }
        let rows = rows(&elements(&figure));
        for pair in rows.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            prop_assert!(pair[0].2 < pair[1].1, "{pair:?}");
        }
    }
}
