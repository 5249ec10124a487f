//! The parts of SQL that the question language leaves out, each with the reason and a way forward.

use std::fmt;

use crate::names::shown;

/// A part of SQL that was found in a question and is not in its language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Construct {
    /// A statement other than SELECT, by its first word.
    Statement(String),
    /// A second statement after a semicolon.
    SecondStatement,
    /// `-- …` or `/* … */`.
    Comment,
    /// `?`, `$1`, `:name`.
    Parameter,
    /// A SELECT within the question, other than one over each person's own rows after FROM.
    Subquery,
    /// JOIN, or several tables after FROM.
    Join,
    /// GROUP without BY.
    GroupBy,
    /// GROUP BY in the inner query.
    InnerGroupBy,
    /// A value of the inner query that is not a named COUNT, SUM, MIN, MAX or AVG.
    InnerValue,
    /// HAVING, other than the inner query's limit of rows.
    Having,
    /// ORDER BY.
    OrderBy,
    /// LIMIT, OFFSET or FETCH.
    Limit,
    /// DISTINCT.
    Distinct,
    /// UNION, INTERSECT or EXCEPT.
    SetOperation,
    /// WITH.
    With,
    /// OVER or WINDOW.
    Window,
    /// CASE.
    Case,
    /// LIKE and the other pattern operators, by name.
    Pattern(String),
    /// A second name for the table or the result.
    Alias,
    /// More than one result column.
    SeveralResults,
    /// `SELECT *`, or a result column that is not summed over people.
    NotAStatistic,
    /// A statistic within an expression or a condition.
    NestedStatistic,
    /// A function that is not in the language, or not at this place.
    Function(String),
    /// A literal that is neither a plain number nor a string in single quotes.
    Literal(String),
    /// A sign that is not an operator of the language.
    Sign(String),
    /// Anything else, by its text.
    Other(String),
}

impl Construct {
    /// What was found.
    fn found(&self) -> String {
        match self {
            Self::Statement(word) => format!("a statement that begins with {}", shown(word)),
            Self::Pattern(word) => shown(word),
            Self::Function(name) => format!("the function {}", shown(name)),
            Self::Literal(text) => format!("the literal {}", shown(text)),
            Self::Sign(sign) => format!("the sign {}", shown(sign)),
            Self::Other(text) => format!("\"{}\"", shown(text)),
            plain => plain.plain_name().to_string(),
        }
    }

    /// What was found, for those that carry no text.
    fn plain_name(&self) -> &'static str {
        match self {
            Self::SecondStatement => "a second statement",
            Self::Comment => "a comment",
            Self::Parameter => "a parameter",
            Self::Subquery => "a subquery",
            Self::Join => "a join",
            Self::GroupBy => "GROUP without BY",
            Self::InnerGroupBy => "GROUP BY in the query in brackets",
            Self::InnerValue => {
                "a value of the query in brackets that is not a named statistic of a person's rows"
            }
            Self::Having => "HAVING",
            Self::OrderBy => "ORDER BY",
            Self::Limit => "LIMIT",
            Self::Distinct => "DISTINCT",
            Self::SetOperation => "a union of queries",
            Self::With => "WITH",
            Self::Window => "a window",
            Self::Case => "CASE",
            Self::Alias => "a second name",
            Self::SeveralResults => "several results",
            Self::NotAStatistic => "a result that is not a statistic",
            Self::NestedStatistic => "a statistic inside an expression",
            _ => "this",
        }
    }

    /// Why the language leaves it out, and what to write instead.
    fn instead(&self) -> &'static str {
        match self {
            Self::Statement(_) => "a question only reads; begin with SELECT",
            Self::SecondStatement => "one question is one statement; ask the second one apart",
            Self::Comment => {
                "owners decide on the text alone; say what it is for in the purpose of the question"
            }
            Self::Parameter => "owners see the finished text; write the value itself",
            Self::Subquery => {
                "one query may stand in brackets, after FROM, over each person's own rows: SELECT AVG(h) FROM (SELECT SUM(hours) AS h FROM absences)"
            }
            Self::Join => "each person contributes one row of one table; name that table alone",
            Self::GroupBy => "write GROUP BY and a category column, or BUCKET(x, 10) of a number",
            Self::InnerGroupBy => {
                "it gives one row for each person; group people after the brackets, or narrow the rows with WHERE"
            }
            Self::InnerValue => {
                "write COUNT(*), SUM(x), MIN(x), MAX(x) or AVG(x) with a name, as in SUM(hours) AS h"
            }
            Self::Having => {
                "put the condition into WHERE; only the query in brackets takes one, HAVING COUNT(*) <= 1000, to limit a person's rows"
            }
            Self::OrderBy => {
                "groups come in the order of their words or buckets; leave it out, or ask for TOP(x, 3)"
            }
            Self::Limit => {
                "every person who matches counts; narrow the crowd with WHERE, or ask for TOP(x, 3)"
            }
            Self::Distinct => "comparing people's values would reveal them; count with WHERE",
            Self::SetOperation => "a question has one statistic; join conditions with OR",
            Self::With => "write the query over each person's own rows in brackets after FROM",
            Self::Window => {
                "people's rows are never put side by side; use a statistic with GROUP BY"
            }
            Self::Case => "group by BUCKET(x, 10) or a category, or ask one question for each case",
            Self::Pattern(_) => "compare with =, or list the values with IN",
            Self::Alias => {
                "there is one table and one result; leave the second name out, here and after brackets"
            }
            Self::SeveralResults => {
                "a question has one statistic; ask one question for each, and name groups after GROUP BY alone"
            }
            Self::NotAStatistic => {
                "only sums over people leave their nodes; write COUNT(*), SUM(x), AVG(x), VAR_SAMP(x), MEDIAN(x), HISTOGRAM(x), CORR(y, x) or another"
            }
            Self::NestedStatistic => {
                "the statistic comes last; put the arithmetic inside its brackets"
            }
            Self::Function(_) => {
                "a value is computed with +, -, *, / and ABS, and a statistic or BUCKET has its own place"
            }
            Self::Literal(_) => {
                "write numbers in plain digits, such as 0.5, and words in single quotes"
            }
            Self::Sign(_) => "use = <> < <= > >= + - * / and brackets",
            Self::Other(_) => {
                "put a column of this name in double quotes; otherwise use AND, OR, NOT, BETWEEN, IN and IS NULL"
            }
        }
    }
}

impl fmt::Display for Construct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is not part of the question language: {}",
            self.found(),
            self.instead()
        )
    }
}
