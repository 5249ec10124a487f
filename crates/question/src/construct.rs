//! The parts of SQL that the question language leaves out, each with the reason and a way forward.

use std::fmt;

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
    /// A SELECT within the question.
    Subquery,
    /// JOIN, or several tables after FROM.
    Join,
    /// GROUP BY.
    GroupBy,
    /// HAVING.
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
    /// A function other than COUNT, SUM, AVG and ABS.
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
            Self::Statement(word) => format!("a statement that begins with {word}"),
            Self::Pattern(word) => word.clone(),
            Self::Function(name) => format!("the function {name}"),
            Self::Literal(text) => format!("the literal {text}"),
            Self::Sign(sign) => format!("the sign {sign}"),
            Self::Other(text) => format!("\"{text}\""),
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
            Self::GroupBy => "GROUP BY",
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
            Self::NotAStatistic => "a result that is not COUNT, SUM or AVG",
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
            Self::Subquery => "each person contributes one row of one table; use a condition on it",
            Self::Join => "each person contributes one row of one table; name that table alone",
            Self::GroupBy => "a question gives one figure; ask one question per group with WHERE",
            Self::Having => "single groups are never opened; put the condition into WHERE",
            Self::OrderBy => "one figure has no order; leave it out",
            Self::Limit => "every person who matches counts; narrow the crowd with WHERE",
            Self::Distinct => "comparing people's values would reveal them; count with WHERE",
            Self::SetOperation => "a question gives one figure; join conditions with OR",
            Self::With => "each person contributes one row of one table; use a condition on it",
            Self::Window => "people's rows are never put side by side; use COUNT, SUM or AVG",
            Self::Case => "ask one question for each case, with WHERE",
            Self::Pattern(_) => "compare with =, or list the values with IN",
            Self::Alias => "there is one table and one result; leave the second name out",
            Self::SeveralResults => "a question gives one figure; ask one question for each",
            Self::NotAStatistic => {
                "only sums over people leave their nodes; write COUNT(*), SUM(x) or AVG(x)"
            }
            Self::NestedStatistic => {
                "the statistic comes last; put the arithmetic inside its brackets"
            }
            Self::Function(_) => "its result has no declared range; use +, -, *, / and ABS",
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
