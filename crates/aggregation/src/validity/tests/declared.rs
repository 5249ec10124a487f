//! Declared statistics: what they encode passes, and what they do not encode is refused.

use base::Rng;
use community::{Column, Kind, Range};
use proptest::prelude::*;

use super::*;
use crate::statistic::{self, Buckets, Declaration, Domain, Measure, Value};

/// A person's rows, or none.
type Rows = Vec<[i64; 3]>;

fn number(name: &str, min: i64, max: i64) -> Column {
    let range = Range {
        decimals: 1,
        min,
        max,
    };
    Column {
        name: name.into(),
        kind: Kind::Number(range),
    }
}

fn declared(columns: Vec<Column>, group_by: Vec<Domain>, measure: Measure) -> Declaration {
    Declaration {
        columns,
        group_by,
        measure,
        contributors: 4000,
        rows: 1,
    }
}

fn buckets(column: u16) -> impl Strategy<Value = Buckets> {
    prop::collection::btree_set(-20..20i64, 0..4).prop_map(move |starts| Buckets {
        column,
        starts: starts.into_iter().collect(),
    })
}

/// All that have a proof, of columns of which the first contains −20 to 20.
fn measure() -> impl Strategy<Value = Measure> {
    prop_oneof![
        Just(Measure::Count),
        Just(Measure::Sum { column: 1 }),
        Just(Measure::Mean { column: 2 }),
        (2..=4u8).prop_map(|order| Measure::Moments { column: 1, order }),
        (2..=4u8).prop_map(|order| Measure::Moments { column: 0, order }),
        buckets(0).prop_map(|buckets| Measure::Histogram {
            domain: Domain::Buckets(buckets)
        }),
        buckets(0).prop_map(|buckets| Measure::Quantiles {
            buckets,
            levels: vec![500_000]
        }),
        buckets(0).prop_map(|buckets| Measure::Extremes { buckets }),
        buckets(0).prop_map(|buckets| Measure::Top {
            domain: Domain::Buckets(buckets),
            count: 1
        }),
        Just(Measure::Covariance {
            columns: vec![0, 1]
        }),
        Just(Measure::Linear {
            response: 2,
            predictors: vec![0, 1]
        }),
    ]
}

/// A declaration that has a proof, with somebody's rows.
fn case() -> impl Strategy<Value = (statistic::Statistic, Rows)> {
    // The second column has one, two or three limbs' powers; the third is wide in sums alone.
    let spans = (20..4000i64, 1..=65_535i64, 1..=20_000i64);
    let groups = prop::option::of(prop::collection::vec(buckets(0), 1..3));
    (
        spans,
        groups,
        measure(),
        any::<[prop::sample::Index; 3]>(),
        any::<bool>(),
    )
        .prop_map(|(spans, groups, measure, at, matches)| {
            let columns = vec![
                number("a", -21, spans.0),
                number("b", 5, 5 + spans.1),
                number("c", -spans.2, 0),
            ];
            let group_by = groups.unwrap_or_default();
            let group_by = group_by.into_iter().map(Domain::Buckets).collect();
            let row = [
                -21 + at[0].index(spans.0 as usize + 22) as i64,
                5 + at[1].index(spans.1 as usize + 1) as i64,
                -(at[2].index(spans.2 as usize + 1) as i64),
            ];
            let statistic = statistic::Statistic::new(declared(columns, group_by, measure));
            let rows = if matches { vec![row] } else { Vec::new() };
            (statistic.expect("a sound declaration"), rows)
        })
}

fn encode(statistic: &statistic::Statistic, rows: &Rows) -> Vec<u64> {
    let rows: Vec<_> = rows.iter().map(|row| row.map(Value::Number)).collect();
    statistic.encode(&rows).expect("a sound row")
}

/// Whether one person can contribute this, told by the layout alone: somewhere a one, with numbers that fit each other.
fn is_encoding(statistic: &statistic::Statistic, vector: &[u64]) -> bool {
    if vector.iter().all(|number| *number == 0) {
        return true;
    }
    let (declaration, layout) = (statistic.declaration(), statistic.layout());
    let own = (0..layout.cells()).find(|cell| vector[layout.people_index(*cell)] == 1);
    let Some(cell) = own else {
        return false;
    };
    let mut expected = vec![0; layout.len()];
    expected[layout.people_index(cell)] = 1;
    if let Some(bucket) = layout.buckets(cell).find(|bucket| vector[*bucket] == 1) {
        expected[bucket] = 1;
    } else if !layout.buckets(cell).is_empty() {
        return false;
    }
    let of_cell: Vec<u128> = vector[layout.values(cell)]
        .iter()
        .map(|x| (*x).into())
        .collect();
    let of_columns = |count: usize| of_cell.iter().take(count).copied().collect::<Vec<_>>();
    let numbers = match &declaration.measure {
        Measure::Sum { .. } | Measure::Mean { .. } => of_columns(1),
        Measure::Moments { order, .. } => {
            let x = of_cell[0];
            (1..=u32::from(*order))
                .filter_map(|k| x.checked_pow(k))
                .collect()
        }
        Measure::Covariance { .. } => products(of_columns(2)),
        Measure::Linear { .. } => products(of_columns(3)),
        _ => Vec::new(),
    };
    let limits = layout.limits();
    let mut at = layout.values(cell).start;
    for number in numbers {
        let wide = limits[at] == u64::from(u32::MAX);
        let limbs = if wide {
            vec![number & u128::from(u32::MAX), number >> 32]
        } else {
            vec![number]
        };
        for limb in limbs {
            let Some(limb) = u64::try_from(limb).ok().filter(|limb| *limb <= limits[at]) else {
                return false;
            };
            expected[at] = limb;
            at += 1;
        }
    }
    expected == vector
}

fn products(columns: Vec<u128>) -> Vec<u128> {
    let mut all = columns.clone();
    for (index, x) in columns.iter().enumerate() {
        all.extend(columns[index..].iter().map(|y| x.saturating_mul(*y)));
    }
    all
}

/// Near numbers, negative ones, and any.
fn change() -> impl Strategy<Value = u64> {
    prop_oneof![Just(1), Just(2), Just(MINUS_ONE), 1..Vector::MODULUS]
}

fn changed(number: u64, by: u64) -> u64 {
    ((u128::from(number) + u128::from(by)) % u128::from(Vector::MODULUS)) as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn encodings_pass((statistic, rows) in case(), lanes in 1..5usize, seed: u64) {
        let shape = Shape::of(&statistic).unwrap();
        prop_assert_eq!(shape.vector_len(), statistic.layout().len());
        let vector = encode(&statistic, &rows);
        prop_assert!(is_encoding(&statistic, &vector));
        let case = Case::honest(shape, lanes, &vector, seed);
        prop_assert_eq!(case.check(), Ok(vector));
    }

    /// One wrong number, and nothing can be sent; unless it is a column's alone and still in range.
    #[test]
    fn a_changed_number_is_not_encoded((statistic, rows) in case(), at: prop::sample::Index, by in change()) {
        let mut vector = encode(&statistic, &rows);
        let at = at.index(vector.len());
        vector[at] = changed(vector[at], by);
        let validity = Validity::new(Shape::of(&statistic).unwrap(), 2).unwrap();
        let binding = Binding::new(&Digest([1; 32]), NodeId([2; 32]));
        let sharded = validity.shard(&Vector::from_u64s(&vector).unwrap(), &binding, &mut Rng::from_number(1));
        prop_assert_eq!(sharded.is_ok(), is_encoding(&statistic, &vector), "{:?}", vector);
    }

    /// And whoever makes a proof nevertheless, with any number of the circuit's input changed, is refused or adds what
    /// another honest person might.
    #[test]
    fn a_changed_input_is_refused(
        (statistic, rows) in case(),
        at: prop::sample::Index,
        by in change(),
        seed: u64,
    ) {
        let vector = Vector::from_u64s(&encode(&statistic, &rows)).unwrap();
        let validity = Validity::new(Shape::of(&statistic).unwrap(), 2).unwrap();
        let mut input = validity.circuit.encode(&vector).unwrap();
        let at = at.index(input.len());
        input[at] = changed(input[at].into(), by).into();
        match Case::of(validity, &input, seed).check() {
            Ok(vector) => prop_assert!(is_encoding(&statistic, &vector), "{:?}", vector),
            Err(error) => prop_assert_eq!(error, Refused::Proof),
        }
    }

    /// Whoever does not match adds nothing: not by any change of what a matching person sends.
    #[test]
    fn a_number_without_a_match_is_refused((statistic, rows) in case(), seed: u64) {
        prop_assume!(!rows.is_empty());
        let vector = Vector::from_u64s(&encode(&statistic, &rows)).unwrap();
        let shape = Shape::of(&statistic).unwrap();
        let slots = shape.slots();
        let validity = Validity::new(shape, 2).unwrap();
        let mut input = validity.circuit.encode(&vector).unwrap();
        input[..slots].fill(0.into());
        match Case::of(validity, &input, seed).check() {
            Ok(vector) => prop_assert!(vector.iter().all(|number| *number == 0)),
            Err(error) => prop_assert_eq!(error, Refused::Proof),
        }
    }
}

/// Fourth powers of 16 bits and products of 32 have a proof; more has none, and says which number it is.
#[test]
fn what_has_no_proof_says_why() {
    let proof = |declaration| {
        let statistic = statistic::Statistic::new(declaration).unwrap();
        Shape::of(&statistic)
    };
    let columns = |span| {
        vec![
            number("x", 0, span),
            number("y", 0, 1),
            number("z", 0, 1 << 31),
        ]
    };
    let moments = |order| Measure::Moments { column: 0, order };
    let covariance = Measure::Covariance {
        columns: vec![0, 2],
    };
    for (span, measure) in [
        (65_535, moments(4)),
        ((1 << 21) - 1, moments(3)),
        ((1 << 32) - 1, moments(2)),
        ((1 << 32) - 1, covariance.clone()),
        (i64::MAX, Measure::Sum { column: 0 }),
    ] {
        assert!(
            proof(declared(columns(span), vec![], measure)).is_ok(),
            "{span}"
        );
    }
    let wide = |number: &str| {
        Err(NoProof::Wide {
            number: number.into(),
        })
    };
    for (span, measure, expected) in [
        (65_536, moments(4), wide("x")),
        (1 << 32, moments(2), wide("x")),
        (1 << 33, covariance, wide("x · x")),
    ] {
        assert_eq!(
            proof(declared(columns(span), vec![], measure)),
            expected,
            "{span}"
        );
    }
    let mut widest = columns(1);
    widest[0] = number("x", i64::MIN, i64::MAX);
    let sum = Measure::Sum { column: 0 };
    assert_eq!(proof(declared(widest, vec![], sum)), wide("x"));

    let rows = Declaration {
        rows: 3,
        ..declared(columns(9), vec![], Measure::Count)
    };
    assert_eq!(proof(rows), Err(NoProof::Rows { rows: 3 }));
    let binary = Column {
        name: "y".into(),
        kind: Kind::Number(Range {
            decimals: 0,
            min: 0,
            max: 1,
        }),
    };
    let logistic = Measure::Logistic {
        response: 0,
        predictors: vec![1],
        weights: vec![0, 1],
        weight_decimals: 1,
        decimals: 2,
    };
    let logistic = declared(vec![binary, number("x", 0, 9)], vec![], logistic);
    assert_eq!(proof(logistic), Err(NoProof::Rounded));

    let buckets = |count| {
        Domain::Buckets(Buckets {
            column: 0,
            starts: (1..count).collect(),
        })
    };
    let histogram = Measure::Histogram {
        domain: buckets(129),
    };
    let grouped = declared(columns(1000), vec![buckets(128)], histogram);
    let error = Unprovable::Groups { groups: 128 * 129 };
    assert_eq!(proof(grouped), Err(NoProof::Limit(error)));
}
