//! Figures as people and programs read them, each with how near it is to that of the rows in the clear.

use aggregation::statistic::{
    self, Bracket, Coefficient, Covariance, Fraction, Label, Linear, LogisticStep, Moments,
    Undefined,
};
use question::{Answer, Figures, Function, Group};
use serde::{Deserialize, Serialize};

use crate::counted::counted;

/// Digits after the point of a mean.
pub const MEAN_DIGITS: u8 = 4;
/// Digits after the point of other fractions.
const DIGITS: u8 = 6;
/// Digits after the point of a weight: as many as a question can state.
const WEIGHT_DIGITS: usize = 9;

/// Why fewer parts are named than were asked for.
const NONE_LARGE_ENOUGH: &str = "in every other part is nobody, or too few people to be told";
/// Why a part of a histogram has no count.
const WITHHELD: &str = "withheld";

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Its value; none where the rows have no such figure.
    pub value: Option<String>,
    /// "exact", "exact, rounded to 6 digits", "of an exact one, to 6 digits", "somewhere in here", "to the declared step",
    /// "withheld", or why there is none.
    pub exactness: String,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The word or bucket of each grouping.
    pub labels: Vec<String>,
    /// People in it, unless that is withheld.
    pub people: Option<u64>,
    /// What was asked for, then what else follows from the same sums; none where too few people are in it.
    pub figures: Option<Vec<Figure>>,
}

impl Row {
    fn of(function: Function, group: &Group) -> Self {
        let figures = group.figures.as_ref();
        Self {
            labels: group.labels.iter().map(label).collect(),
            people: group.people,
            figures: figures.map(|figures| self::figures(function, figures)),
        }
    }

    /// The group in one line.
    pub fn line(&self) -> String {
        let people = match (self.people, &self.figures) {
            (Some(people), _) => counted(people, "person", "people"),
            (None, Some(_)) => "some people".to_owned(),
            (None, None) => {
                return format!(
                    "{}: withheld, as it would tell of too few people",
                    self.labels.join(", ")
                );
            }
        };
        let mut told = vec![people];
        told.extend(texts(self.figures.iter().flatten()));
        format!("{}: {}", self.labels.join(", "), told.join(", "))
    }
}

/// Each figure that is told, and how many are withheld.
pub fn texts<'a>(figures: impl Iterator<Item = &'a Figure>) -> Vec<String> {
    let (withheld, told): (Vec<_>, Vec<_>) =
        figures.partition(|figure| figure.value.is_none() && figure.exactness == WITHHELD);
    let mut texts: Vec<_> = told.into_iter().map(Figure::text).collect();
    if !withheld.is_empty() {
        let count = withheld.len();
        texts.push(format!(
            "{count} withheld, too few people in each or together"
        ));
    }
    texts
}

impl Figure {
    fn exact(name: impl Into<String>, value: impl ToString) -> Self {
        Self::told(name, value.to_string(), "exact")
    }

    fn rounded(name: impl Into<String>, value: &Fraction) -> Self {
        let exactness = format!("exact, rounded to {DIGITS} digits");
        Self::told(name, value.rounded(DIGITS), &exactness)
    }

    fn double(name: impl Into<String>, value: f64) -> Self {
        let exactness = format!("of an exact one, to {DIGITS} digits");
        Self::told(name, format!("{value:.6}"), &exactness)
    }

    fn told(name: impl Into<String>, value: String, exactness: &str) -> Self {
        Self {
            name: name.into(),
            value: Some(value),
            exactness: exactness.to_owned(),
        }
    }

    fn none(name: impl Into<String>, why: impl ToString) -> Self {
        Self {
            name: name.into(),
            value: None,
            exactness: why.to_string(),
        }
    }

    /// What was asked for, of which nothing may be told.
    fn withheld(function: Function) -> Self {
        let why = "withheld, because too few people are in every part; take wider ones";
        Self::none(function.name().to_lowercase(), why)
    }

    /// Name and value.
    pub fn text(&self) -> String {
        match &self.value {
            Some(value) => format!("{}: {value}", self.name),
            None => format!("{}: {}", self.name, self.exactness),
        }
    }
}

/// Of everybody.
pub fn of_all(answer: &Answer) -> Vec<Figure> {
    match &answer.whole {
        Some(whole) => figures(answer.function, whole),
        None if answer.groupings.is_empty() => vec![Figure::withheld(answer.function)],
        None => Vec::new(),
    }
}

/// Of each group.
pub fn of_groups(answer: &Answer) -> Vec<Row> {
    let groups = answer.groups.iter();
    groups
        .map(|group| Row::of(answer.function, group))
        .collect()
}

/// What was asked for, then what else follows from the same sums. Nothing for a count, which is that of the people.
fn figures(function: Function, figures: &Result<Figures, Undefined>) -> Vec<Figure> {
    let figures = match figures {
        Ok(figures) => figures,
        Err(why) => return vec![Figure::none(function.name().to_lowercase(), why)],
    };
    match figures {
        Figures::Sums(figures) => sums(function, figures),
        Figures::Histogram(parts) => parts.iter().map(part).collect(),
        Figures::Within(bracket) => vec![Figure::told(
            place(function),
            range(bracket),
            "somewhere in here",
        )],
        Figures::Top(top) => {
            let parts = top.parts.iter();
            let mut told: Vec<_> = parts
                .map(|(part, people)| Figure::exact(label(part), people))
                .collect();
            if top.tied > 0 {
                told.push(Figure::exact("others with as many as the last", top.tied));
            }
            let Function::Top(wanted) = function else {
                return told;
            };
            match usize::from(wanted).saturating_sub(top.parts.len()) {
                0 => {}
                _ if told.is_empty() => told.push(Figure::none("top", NONE_LARGE_ENOUGH)),
                _ => told.push(Figure::none("no more of them", NONE_LARGE_ENOUGH)),
            }
            told
        }
    }
}

fn part((part, people): &(Label, Option<u64>)) -> Figure {
    match people {
        Some(people) => Figure::exact(label(part), people),
        None => Figure::none(label(part), WITHHELD),
    }
}

fn place(function: Function) -> String {
    match function {
        Function::Quantile(500_000) => "median".to_owned(),
        Function::Quantile(level) => format!("quantile {}", f64::from(level) / 1e6),
        Function::Min => "minimum".to_owned(),
        _ => "maximum".to_owned(),
    }
}

fn sums(function: Function, figures: &statistic::Figures) -> Vec<Figure> {
    match figures {
        statistic::Figures::Sum(total) => vec![Figure::exact("total", total)],
        statistic::Figures::Mean { total, mean } => vec![
            Figure::told(
                "mean",
                mean.rounded(MEAN_DIGITS),
                &format!("exact, rounded to {MEAN_DIGITS} digits"),
            ),
            Figure::exact("total", total),
        ],
        statistic::Figures::Moments(moments) => moments_of(function, moments),
        statistic::Figures::Covariance(covariance) => covariance_of(function, covariance),
        statistic::Figures::Linear(linear) => linear_of(linear),
        statistic::Figures::Logistic(step) => logistic_of(step),
        _ => Vec::new(),
    }
}

fn moments_of(function: Function, moments: &Moments) -> Vec<Figure> {
    let few = "there are too few rows";
    let constant = "all values are the same";
    let fraction = |name: &str, value: Option<&Fraction>| match value {
        Some(value) => Figure::rounded(name, value),
        None => Figure::none(name, few),
    };
    let double = |name: &str, value: Option<f64>, why| match value {
        Some(value) => Figure::double(name, value),
        None => Figure::none(name, why),
    };
    let mut told = vec![
        Figure::rounded("mean", &moments.mean),
        fraction("population variance", Some(&moments.variance)),
        fraction("sample variance", moments.sample_variance.as_ref()),
        Figure::double("population standard deviation", moments.standard_deviation),
        double(
            "sample standard deviation",
            moments.sample_standard_deviation,
            few,
        ),
    ];
    if moments.third.is_some() {
        told.push(double("skewness", moments.skewness, constant));
    }
    if moments.fourth.is_some() {
        told.push(double("kurtosis", moments.kurtosis, constant));
    }
    let asked = match function {
        Function::VariancePopulation => "population variance",
        Function::VarianceSample => "sample variance",
        Function::DeviationPopulation => "population standard deviation",
        Function::DeviationSample => "sample standard deviation",
        Function::Skewness => "skewness",
        _ => "kurtosis",
    };
    // A stable sort: what was asked for comes first.
    told.sort_by_key(|figure| figure.name != asked);
    told
}

fn covariance_of(function: Function, found: &Covariance) -> Vec<Figure> {
    let covariance = &found.covariances[0][1];
    let correlation = match found.correlations[0][1] {
        Some(value) => Figure::double("correlation", value),
        None => Figure::none("correlation", "a column is constant"),
    };
    let population = Figure::rounded("population covariance", covariance);
    let sample = match &found.sample {
        Some(sample) => Figure::rounded("sample covariance", &sample[0][1]),
        None => Figure::none("sample covariance", "there are too few rows"),
    };
    match function {
        Function::CovariancePopulation => vec![population, sample, correlation],
        Function::CovarianceSample => vec![sample, population, correlation],
        _ => vec![correlation, population, sample],
    }
}

fn linear_of(linear: &Linear) -> Vec<Figure> {
    let mut told = Vec::new();
    let mut add = |name: &str, coefficient: &Coefficient| {
        told.push(Figure::rounded(name, &coefficient.value));
        let error = format!("standard error of {name}");
        told.push(match coefficient.standard_error {
            Some(value) => Figure::double(error, value),
            None => Figure::none(error, "there are too few rows"),
        });
    };
    add("intercept", &linear.intercept);
    for (name, coefficient) in &linear.slopes {
        add(&format!("slope of {name}"), coefficient);
    }
    told.push(match &linear.r_squared {
        Some(value) => Figure::rounded("R²", value),
        None => Figure::none("R²", "all values are the same"),
    });
    told
}

/// The next weights, with which one asks again; then what they follow from.
fn logistic_of(found: &LogisticStep) -> Vec<Figure> {
    let step = found.rounding;
    let names: Vec<_> = std::iter::once("intercept")
        .chain(found.predictors.iter().map(String::as_str))
        .collect();
    let near = format!("to the declared step: everybody rounded to {step}");
    let double =
        |name: String, value: f64| Figure::told(name, format!("{value:.WEIGHT_DIGITS$}"), &near);
    let sum =
        |name: String, value: &Fraction| Figure::told(name, value.rounded(step.decimals), &near);
    let mut told = Vec::new();
    for ((name, weight), error) in names.iter().zip(&found.weights).zip(&found.standard_errors) {
        told.push(double(format!("next weight of {name}"), *weight));
        told.push(double(format!("standard error of {name}"), *error));
    }
    for (name, slope) in names.iter().zip(&found.gradient) {
        told.push(sum(format!("gradient of {name}"), slope));
    }
    for (first, row) in found.information.iter().enumerate() {
        for (second, value) in row.iter().enumerate().skip(first) {
            let name = format!("curvature of {} · {}", names[first], names[second]);
            told.push(sum(name, value));
        }
    }
    told
}

fn label(label: &Label) -> String {
    match label {
        Label::Word(word) => word.clone(),
        Label::Bucket(bracket) => range(bracket),
    }
}

fn range(bracket: &Bracket) -> String {
    if bracket.low == bracket.high {
        bracket.low.to_string()
    } else {
        format!("{} to {}", bracket.low, bracket.high)
    }
}

#[cfg(test)]
mod tests {
    use aggregation::statistic::{Fixed, Top};

    use super::*;

    #[test]
    fn parts_that_are_not_named_are_accounted_for() {
        let named = |parts: &[(&str, u64)]| {
            let parts = parts.iter().map(|(word, people)| {
                let word = Label::Word((*word).to_owned());
                (word, *people)
            });
            let top = Top {
                parts: parts.collect(),
                tied: 0,
            };
            let told = figures(Function::Top(2), &Ok(Figures::Top(top)));
            told.iter().map(Figure::text).collect::<Vec<_>>()
        };
        assert_eq!(named(&[("good", 7), ("bad", 5)]), ["good: 7", "bad: 5"]);
        let why = NONE_LARGE_ENOUGH;
        assert_eq!(
            named(&[("good", 7)]),
            ["good: 7".to_owned(), format!("no more of them: {why}")]
        );
        assert_eq!(named(&[]), [format!("top: {why}")]);
    }

    #[test]
    fn a_logistic_step_tells_the_weights_to_ask_with_first() {
        let fraction = |n| Fraction::new(n, 1000).unwrap();
        let step = LogisticStep {
            predictors: vec!["hours".into()],
            rounding: Fixed {
                units: 1,
                decimals: 3,
            },
            gradient: vec![fraction(-2500), fraction(4)],
            information: vec![
                vec![fraction(5000), fraction(13_938)],
                vec![fraction(13_938), fraction(50_000)],
            ],
            step: vec![-1.0, 0.25],
            weights: vec![-4.077_713_4, 0.25],
            standard_errors: vec![1.761, 0.5],
        };
        let figures = sums(
            Function::Logistic,
            &statistic::Figures::Logistic(Box::new(step)),
        );
        let texts: Vec<_> = figures.iter().map(Figure::text).collect();
        assert_eq!(
            texts,
            [
                "next weight of intercept: -4.077713400",
                "standard error of intercept: 1.761000000",
                "next weight of hours: 0.250000000",
                "standard error of hours: 0.500000000",
                "gradient of intercept: -2.500",
                "gradient of hours: 0.004",
                "curvature of intercept · intercept: 5.000",
                "curvature of intercept · hours: 13.938",
                "curvature of hours · hours: 50.000",
            ]
        );
        assert!(
            figures
                .iter()
                .all(|figure| figure.exactness.ends_with("0.001"))
        );
    }
}
