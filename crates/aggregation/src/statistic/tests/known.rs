//! Numbers that others have published.

use super::*;

fn near(found: f64, expected: f64, digits: i32) {
    let off = ((found - expected) / expected).abs();
    assert!(off < 10f64.powi(-digits), "{found} instead of {expected}");
}

fn single(values: &[i64]) -> Vec<Vec<i64>> {
    values.iter().map(|&value| vec![value]).collect()
}

#[test]
fn moments_of_eight_numbers() {
    let statistic = statistic(
        vec![number("x", 0, -5, 50)],
        Measure::Moments {
            column: 0,
            order: 4,
        },
    );
    let found = figures(&statistic, &single(&[2, 4, 4, 4, 5, 5, 7, 9]));
    let Ok(Figures::Moments(found)) = found else {
        panic!("{found:?}");
    };
    assert_eq!(found.total.to_string(), "40");
    assert_eq!(found.mean, Fraction::new(5, 1).unwrap());
    assert_eq!(found.variance, Fraction::new(4, 1).unwrap());
    assert_eq!(found.standard_deviation, 2.0);
    assert_eq!(found.sample_variance, Fraction::new(32, 7));
    assert_eq!(found.third, Fraction::new(21, 4));
    assert_eq!(found.skewness, Some(0.65625));
    assert_eq!(found.fourth, Fraction::new(89, 2));
    assert_eq!(found.kurtosis, Some(2.78125));
}

/// NIST's data set NumAcc4, on which doubles lose half of their digits.
#[test]
fn variance_of_numacc4() {
    let statistic = Statistic::new(Declaration {
        contributors: 1001,
        ..declare(
            vec![number("x", 1, 0, 1_000_000_000)],
            Measure::Moments {
                column: 0,
                order: 2,
            },
        )
    })
    .unwrap();
    let mut values = vec![100_000_002];
    for _ in 0..500 {
        values.extend([100_000_001, 100_000_003]);
    }
    let Ok(Figures::Moments(found)) = figures(&statistic, &single(&values)) else {
        panic!("there are rows");
    };
    assert_eq!(found.mean.rounded(1), "10000000.2");
    assert_eq!(found.sample_variance, Fraction::new(1, 100));
    assert_eq!(found.sample_standard_deviation, Some(0.1));
}

/// NIST's data set Longley: nearly collinear. Employed, then deflator (of one decimal), product, unemployed, armed
/// forces, population, year.
const LONGLEY: [[i64; 7]; 16] = [
    [60323, 830, 234_289, 2356, 1590, 107_608, 1947],
    [61122, 885, 259_426, 2325, 1456, 108_632, 1948],
    [60171, 882, 258_054, 3682, 1616, 109_773, 1949],
    [61187, 895, 284_599, 3351, 1650, 110_929, 1950],
    [63221, 962, 328_975, 2099, 3099, 112_075, 1951],
    [63639, 981, 346_999, 1932, 3594, 113_270, 1952],
    [64989, 990, 365_385, 1870, 3547, 115_094, 1953],
    [63761, 1000, 363_112, 3578, 3350, 116_219, 1954],
    [66019, 1012, 397_469, 2904, 3048, 117_388, 1955],
    [67857, 1046, 419_180, 2822, 2857, 118_734, 1956],
    [68169, 1084, 442_769, 2936, 2798, 120_445, 1957],
    [66513, 1108, 444_546, 4681, 2637, 121_950, 1958],
    [68655, 1126, 482_704, 3813, 2552, 123_366, 1959],
    [69564, 1142, 502_601, 3931, 2514, 125_368, 1960],
    [69331, 1157, 518_173, 4806, 2572, 127_852, 1961],
    [70551, 1169, 554_894, 4007, 2827, 130_081, 1962],
];

#[test]
fn least_squares_of_longley() {
    let columns = vec![
        number("employed", 0, 0, 100_000),
        number("deflator", 1, 0, 2000),
        number("product", 0, 0, 1_000_000),
        number("unemployed", 0, 0, 10_000),
        number("forces", 0, 0, 10_000),
        number("population", 0, 0, 200_000),
        number("year", 0, 1900, 2000),
    ];
    let measure = Measure::Linear {
        response: 0,
        predictors: (1..=6).collect(),
    };
    let rows = LONGLEY.map(|row| row.to_vec());
    let Ok(Figures::Linear(found)) = figures(&statistic(columns, measure), &rows) else {
        panic!("there are rows");
    };
    // Certified values and standard deviations of NIST's Statistical Reference Datasets.
    let certified = [
        (-3_482_258.634_595_82, 890_420.383_607_373),
        (15.061_872_271_373_3, 84.914_925_774_766_9),
        (-0.035_819_179_292_591_0, 0.033_491_007_772_243_2),
        (-2.020_229_803_816_83, 0.488_399_681_651_699),
        (-1.033_226_867_173_59, 0.214_274_163_161_675),
        (-0.051_104_105_653_580_7, 0.226_073_200_069_370),
        (1_829.151_464_613_55, 455.478_499_142_212),
    ];
    let slopes = found.slopes.iter().map(|(_, slope)| slope);
    for (coefficient, (value, error)) in std::iter::once(&found.intercept)
        .chain(slopes)
        .zip(certified)
    {
        near(coefficient.value.as_f64(), value, 13);
        near(coefficient.standard_error.unwrap(), error, 13);
    }
    near(found.r_squared.unwrap().as_f64(), 0.995_479_004_577_296, 14);
    near(
        found.residual_standard_error.unwrap(),
        304.854_073_561_965,
        13,
    );
    assert_eq!(found.degrees_of_freedom, Some(9));
    assert_eq!(found.slopes[5].0, "year");
}

#[test]
fn correlation_of_anscombe() {
    // Anscombe's first set: covariance over n − 1 is 5.501, correlation 0.81642.
    let x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
    let y = [804, 695, 758, 881, 833, 996, 724, 426, 1084, 482, 568];
    let statistic = statistic(
        vec![number("x", 0, 0, 20), number("y", 2, 0, 2000)],
        Measure::Covariance {
            columns: vec![0, 1],
        },
    );
    let rows: Vec<_> = x.iter().zip(y).map(|(&x, y)| vec![x, y]).collect();
    let Ok(Figures::Covariance(found)) = figures(&statistic, &rows) else {
        panic!("there are rows");
    };
    // 55.01 / 11.
    assert_eq!(found.covariances[0][1], Fraction::new(5501, 1100).unwrap());
    assert_eq!(found.covariances[0][0], Fraction::new(10, 1).unwrap());
    near(found.correlations[1][0].unwrap(), 0.816_420_516_3, 9);
    assert_eq!(found.correlations[0][0], Some(1.0));
    assert_eq!(found.means[0], Fraction::new(9, 1).unwrap());
}

/// Hours of study and passing, twenty students (the example of the English Wikipedia's "Logistic regression").
#[test]
fn logistic_regression_converges() {
    let hours = [
        50, 75, 100, 125, 150, 175, 175, 200, 225, 250, 275, 300, 325, 350, 400, 425, 450, 475,
        500, 550,
    ];
    let passed = [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1];
    let rows: Vec<_> = passed.iter().zip(hours).map(|(&y, x)| vec![y, x]).collect();
    let mut weights = vec![0, 0];
    let mut errors = Vec::new();
    for _ in 0..8 {
        let statistic = statistic(
            vec![number("passed", 0, 0, 1), number("hours", 2, 0, 1000)],
            Measure::Logistic {
                response: 0,
                predictors: vec![1],
                weights,
                weight_decimals: 9,
                decimals: 9,
            },
        );
        let Ok(Figures::Logistic(found)) = figures(&statistic, &rows) else {
            panic!("there are rows");
        };
        weights = found
            .weights
            .iter()
            .map(|weight| (weight * 1e9).round() as i64)
            .collect();
        errors = found.standard_errors;
    }
    near(weights[0] as f64 / 1e9, -4.077_7, 4);
    near(weights[1] as f64 / 1e9, 1.504_6, 4);
    near(errors[0], 1.761_0, 4);
    near(errors[1], 0.628_7, 4);
}

#[test]
fn exact_numbers_as_text() {
    let fixed = |units, decimals| Fixed { units, decimals }.to_string();
    assert_eq!(fixed(-5, 2), "-0.05");
    assert_eq!(fixed(1234, 1), "123.4");
    assert_eq!(fixed(i128::MIN, 0), i128::MIN.to_string());
    let fraction = |n, d| Fraction::new(n, d).unwrap();
    assert_eq!(fraction(-2, 3).rounded(3), "-0.667");
    assert_eq!(fraction(1, 2).rounded(0), "1");
    assert_eq!(fraction(-1, 3).rounded(0), "0");
    assert_eq!(fraction(4, -6).to_string(), "-2/3");
    assert_eq!(Fraction::new(1, 0), None);
}

#[test]
fn exactness_is_stated() {
    let of = |measure| {
        let columns = vec![number("z", 0, 0, 1), number("x", 0, 0, 9)];
        let statistic = statistic(columns, measure);
        let nobody = vec![0; statistic.layout().len()];
        statistic.decode(&nobody).unwrap().exactness
    };
    let buckets = || Buckets {
        column: 1,
        starts: vec![5],
    };
    let domain = Domain::Buckets(buckets());
    let levels = vec![0];
    assert_eq!(of(Measure::Histogram { domain }), Exactness::Exact);
    let quantiles = Measure::Quantiles {
        buckets: buckets(),
        levels,
    };
    assert_eq!(of(quantiles), Exactness::Bucket);
    let extremes = Measure::Extremes { buckets: buckets() };
    assert_eq!(of(extremes), Exactness::Bucket);
    let logistic = Measure::Logistic {
        response: 0,
        predictors: vec![1],
        weights: vec![0, 0],
        weight_decimals: 0,
        decimals: 3,
    };
    let step = Fixed {
        units: 1,
        decimals: 3,
    };
    assert_eq!(of(logistic), Exactness::Rounded { step });
}
