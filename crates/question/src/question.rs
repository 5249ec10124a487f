//! The question: checked once, then the same for everyone.

use aggregation::statistic::Statistic;
use community::{Column, Table};

use crate::condition::Condition;
use crate::error::QuestionError;
use crate::function::{Argument, Function};
use crate::gate;
use crate::inner::Inner;
use crate::names::quoted;
use crate::parts::Parting;
use crate::row::Row;
use crate::select::{self, Parts, Scope, Source};

/// Most bytes of a question's text (a guess: ten screens of conditions).
pub const MAX_TEXT: usize = 4096;

/// Most levels of brackets and operators (a guess: beyond what people can read).
pub const MAX_DEPTH: usize = 32;

/// One statistic over one table of the vocabulary, of people who fulfil a condition, by groups if there are any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    function: Function,
    statistic: Statistic,
    groupings: Vec<String>,
    table: String,
    columns: Vec<String>,
    reads: Vec<Column>,
    sql: String,
    local_sql: String,
    local_columns: usize,
}

impl Question {
    /// Reads the text of a question about `vocabulary`, which at most so many people answer.
    ///
    /// Names are matched exactly, or else by ASCII case alone if that leaves one. The result depends on the arguments
    /// only, so every node that knows the descriptor reads the same question.
    ///
    /// # Errors
    ///
    /// [`QuestionError`] has a variant for each reason. Any text may be passed: hostile ones are refused in time and
    /// stack that [`MAX_TEXT`] and [`MAX_DEPTH`] bound.
    pub fn parse(sql: &str, vocabulary: &[Table], people: u64) -> Result<Self, QuestionError> {
        let query = select::parse(gate::tokens(sql, vocabulary)?)?;
        let parts = Parts::of(&query)?;
        let question = match parts.source {
            Source::Table(name) => {
                let mut scope = Scope::of(name, vocabulary)?;
                let asked = Asked::read(&parts, &mut scope)?;
                let from = quoted(&scope.table.name);
                asked.question(&scope, [&from, &from], people)?
            }
            Source::Inner(query) => {
                let inner = Inner::read(query, vocabulary)?;
                let asked = Asked::read(&parts, &mut Scope::new(&inner.row))?;
                asked.question(&inner.scope, [&inner.canonical, &inner.local], people)?
            }
        };
        // Quotes and brackets make the canonical text longer than the original: it must pass where it is read again.
        gate::tokens(&question.sql, vocabulary)?;
        Ok(question)
    }

    /// What is asked for.
    pub fn function(&self) -> Function {
        self.function
    }

    /// What everybody contributes to. Where parts of a value are counted, they are its last grouping.
    pub fn statistic(&self) -> &Statistic {
        &self.statistic
    }

    /// What people are grouped by, as after GROUP BY.
    pub fn groupings(&self) -> &[String] {
        &self.groupings
    }

    /// The table that it reads.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The names of the columns that it reads, sorted.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The columns that it reads, as the vocabulary declares them, sorted by name.
    ///
    /// [`local_sql`](Self::local_sql) is right only for data stored with the `decimals` given here.
    pub fn reads(&self) -> &[Column] {
        &self.reads
    }

    /// The canonical text: what the plan binds and people read. Parsing it gives an equal question.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// What the owner's node runs on the owner's data: a SELECT of [`local_columns`](Self::local_columns) columns and at
    /// most two rows.
    ///
    /// Number columns are stored as integers in units of their `10^-decimals`, words as text, and an absent value is
    /// NULL. The columns of the result are those that the [statistic](Self::statistic) declares, numbers in units of their
    /// `decimals`; for COUNT(x) one more, 1 or NULL; and for COUNT(*) without groups just a 1. One row is one person's
    /// contribution; the second row only tells that there is more than one.
    pub fn local_sql(&self) -> &str {
        &self.local_sql
    }

    /// Columns of the result of [`local_sql`](Self::local_sql).
    pub fn local_columns(&self) -> usize {
        self.local_columns
    }

    /// Numbers that one person contributes.
    pub fn vector_len(&self) -> usize {
        self.statistic.layout().len()
    }

    /// Groups that are counted apart, and opened only where enough people are in them; 1 without any.
    pub fn cells(&self) -> usize {
        self.statistic.layout().cells()
    }
}

/// What a query asks of the rows after FROM.
struct Asked {
    function: Function,
    argument: Argument,
    condition: Option<Condition>,
    groups: Vec<Parting>,
}

impl Asked {
    fn read(parts: &Parts<'_>, scope: &mut Scope<'_>) -> Result<Self, QuestionError> {
        let (function, argument) = Function::read(&parts.statistic, &parts.arguments, scope)?;
        let condition = parts
            .condition
            .map(|expr| Condition::read(expr, scope, 0))
            .transpose()?;
        let groups = parts.groups.iter();
        let groups = groups.map(|expr| Parting::read_group(expr, scope));
        Ok(Self {
            function,
            argument,
            condition,
            groups: groups.collect::<Result<_, _>>()?,
        })
    }

    /// The question to the table of `scope`, whose rows are named `from` in canonical and local SQL.
    fn question(
        self,
        scope: &Scope<'_>,
        [from, local_from]: [&str; 2],
        people: u64,
    ) -> Result<Question, QuestionError> {
        let Self {
            function,
            argument,
            condition,
            groups,
        } = self;
        let (declaration, local) = Row::declare(function, &argument, &groups, people);
        let groupings: Vec<_> = groups.iter().map(Parting::canonical).collect();
        let filter = |text: Option<String>| text.map_or(String::new(), |it| format!(" WHERE {it}"));
        let canonical = filter(condition.as_ref().map(Condition::canonical));
        let by = if groupings.is_empty() {
            String::new()
        } else {
            format!(" GROUP BY {}", groupings.join(", "))
        };
        let call = function.canonical(&argument);
        let condition = filter(condition.as_ref().map(Condition::local));
        let result = local.join(", ");
        Ok(Question {
            function,
            statistic: Statistic::new(declaration)?,
            groupings,
            table: scope.table.name.clone(),
            columns: scope.reads.keys().map(|name| name.to_string()).collect(),
            reads: scope.reads.values().map(|&column| column.clone()).collect(),
            sql: format!("SELECT {call} FROM {from}{canonical}{by}"),
            local_sql: format!("SELECT {result} FROM {local_from}{condition} LIMIT 2"),
            local_columns: local.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use community::{Kind, Range};
    use proptest::prelude::*;

    use super::*;
    use crate::construct::Construct;
    use crate::example::{PEOPLE, ask, question_text, vocabulary};

    fn range(decimals: u8, min: i64, max: i64) -> Option<Range> {
        Some(Range { decimals, min, max })
    }

    /// The range of the first declared column, if it is of numbers.
    fn value(question: &Question) -> Option<Range> {
        match question.statistic().declaration().columns.first()?.kind {
            Kind::Number(range) => Some(range),
            _ => None,
        }
    }

    #[test]
    fn reads_the_question_of_the_demo() {
        let question =
            ask("select avg(sleep_hours) from people where age between 40 and 49;").expect("valid");
        assert_eq!(question.function(), Function::Mean);
        assert_eq!(question.table(), "people");
        assert_eq!(question.columns(), ["age", "sleep_hours"]);
        assert_eq!(question.reads()[1].name, "sleep_hours");
        assert_eq!(value(&question), range(1, 0, 240));
        assert_eq!(
            question.sql(),
            r#"SELECT AVG("sleep_hours") FROM "people" WHERE "age" BETWEEN 40 AND 49"#
        );
        assert_eq!(
            question.local_sql(),
            r#"SELECT "sleep_hours" FROM "people" WHERE "age" BETWEEN 40 AND 49 LIMIT 2"#
        );
    }

    #[test]
    fn derives_ranges_and_scales() {
        for (expr, expected, local) in [
            ("age + 1", range(0, 1, 121), "(\"age\" + 1)"),
            (
                "age - sleep_hours",
                range(1, -240, 1200),
                "((\"age\" * 10) - \"sleep_hours\")",
            ),
            (
                "age * sleep_hours",
                range(1, 0, 28800),
                "(\"age\" * \"sleep_hours\")",
            ),
            (
                "-balance",
                range(2, -5_000_000, 1_000_000),
                "(- \"balance\")",
            ),
            ("abs(balance)", range(2, 0, 5_000_000), "ABS(\"balance\")"),
            ("abs(age + 1)", range(0, 1, 121), "ABS((\"age\" + 1))"),
            (
                "abs(0 - age - 1)",
                range(0, 1, 121),
                "ABS(((0 - \"age\") - 1))",
            ),
            ("age / 8", range(3, 0, 15000), "(\"age\" * 125)"),
            ("age / 0.5", range(0, 0, 240), "(\"age\" * 2)"),
            ("age / -10", range(1, -120, 0), "(\"age\" * -1)"),
            ("age + 0.25", range(2, 25, 12025), "((\"age\" * 100) + 25)"),
            ("age * -2", range(0, -240, 0), "(\"age\" * -2)"),
            ("- - age", range(0, 0, 120), "\"age\""),
        ] {
            let question = ask(&format!("SELECT SUM({expr}) FROM people")).expect(expr);
            assert_eq!(value(&question), expected, "{expr}");
            let sql = format!("SELECT {local} FROM \"people\" LIMIT 2");
            assert_eq!(question.local_sql(), sql, "{expr}");
        }
    }

    #[test]
    fn writes_conditions_canonically_and_for_stored_integers() {
        for (text, canonical, local) in [
            (
                "sleep_hours>7.25",
                "\"sleep_hours\" > 7.25",
                "(\"sleep_hours\" * 10) > 725",
            ),
            (
                "7 <= sleep_hours",
                "7 <= \"sleep_hours\"",
                "70 <= \"sleep_hours\"",
            ),
            (
                "sleep_hours != age",
                "\"sleep_hours\" <> \"age\"",
                "\"sleep_hours\" <> (\"age\" * 10)",
            ),
            (
                "sleep_hours not in (6, 7.5)",
                "NOT (\"sleep_hours\" IN (6, 7.5))",
                "NOT (\"sleep_hours\" IN (60, 75))",
            ),
            (
                "age = 1 or age = 2 and (age = 3 and gender = 'Male')",
                "\"age\" = 1 OR (\"age\" = 2 AND \"age\" = 3 AND \"gender\" = 'Male')",
                "\"age\" = 1 OR (\"age\" = 2 AND \"age\" = 3 AND \"gender\" = 'Male')",
            ),
            ("TOWN = 'it''s'", "\"town\" = 'it''s'", "\"town\" = 'it''s'"),
            (
                "town is not null",
                "\"town\" IS NOT NULL",
                "\"town\" IS NOT NULL",
            ),
            (
                "\"odd \"\"name\"\"\" < 'm'",
                "\"odd \"\"name\"\"\" < 'm'",
                "\"odd \"\"name\"\"\" < 'm'",
            ),
        ] {
            let question = ask(&format!("SELECT COUNT(*) FROM people WHERE {text}")).expect(text);
            assert_eq!(
                question.sql(),
                format!("SELECT COUNT(*) FROM \"people\" WHERE {canonical}")
            );
            let sql = format!("SELECT 1 FROM \"people\" WHERE {local} LIMIT 2");
            assert_eq!(question.local_sql(), sql);
            assert_eq!(value(&question), None);
        }
    }

    #[test]
    fn a_count_never_takes_a_value_out() {
        let question = ask("SELECT COUNT(town) FROM people").expect("valid");
        assert_eq!(
            question.local_sql(),
            "SELECT CASE WHEN \"town\" IS NOT NULL THEN 1 END FROM \"people\" LIMIT 2"
        );
        assert_eq!(value(&question), None);
    }

    #[test]
    fn words_of_sql_may_name_columns() {
        let question = ask("SELECT SUM(match) FROM left WHERE match = 1").expect("valid");
        assert_eq!(
            question.sql(),
            "SELECT SUM(\"match\") FROM \"left\" WHERE \"match\" = 1"
        );
        assert!(ask("SELECT SUM(count) FROM people WHERE count > 2").is_ok());
    }

    #[test]
    fn refuses_each_construct_by_name() {
        use Construct::*;
        let from = |text: &str| format!("SELECT COUNT(*) FROM people {text}");
        let inner = |text: &str| format!("SELECT COUNT(*) FROM {text}");
        for (sql, construct) in [
            ("DELETE FROM people".into(), Statement("DELETE".into())),
            (
                "(SELECT COUNT(*) FROM people)".into(),
                Statement("(".into()),
            ),
            ("WITH x AS (SELECT 1) SELECT COUNT(*) FROM x".into(), With),
            (from("; DROP TABLE people"), SecondStatement),
            (from(";;"), SecondStatement),
            (from("-- all"), Comment),
            (from("/* all */ WHERE age = 1"), Comment),
            (from("WHERE age = ?"), Parameter),
            (from("WHERE age = $1"), Parameter),
            (from("WHERE age = :age"), Parameter),
            (from("WHERE age = @age"), Parameter),
            (from("WHERE age IN (SELECT age FROM people)"), Subquery),
            (from("JOIN left ON 1 = 1"), Join),
            (from(", left"), Join),
            (from("WHERE left.match = 1"), Join),
            (from("GROUP age"), GroupBy),
            (from("HAVING age > 1"), Having),
            (from("WHERE BUCKET(age) = 1"), Function("BUCKET".into())),
            ("SELECT BUCKET(age) FROM people".into(), NotAStatistic),
            (inner("(SELECT age FROM people)"), InnerValue),
            (inner("(SELECT SUM(age) FROM people)"), InnerValue),
            (inner("(SELECT MEDIAN(age) AS h FROM people)"), InnerValue),
            (
                inner("(SELECT SUM(age) AS h FROM people GROUP BY gender)"),
                InnerGroupBy,
            ),
            (
                inner("(SELECT SUM(age) AS h FROM people HAVING SUM(age) > 2)"),
                Having,
            ),
            (
                inner("(SELECT SUM(age) AS h FROM people HAVING h <= 2)"),
                Having,
            ),
            (inner("(SELECT SUM(age) AS h FROM people) AS t"), Alias),
            (inner("(SELECT SUM(age) AS h FROM people) t"), Alias),
            (inner("(SELECT SUM(age) AS h FROM people), left"), Join),
            (inner("(SELECT SUM(age) AS h FROM people p)"), Alias),
            (
                inner("(SELECT SUM(m) AS h FROM (SELECT SUM(match) AS m FROM left))"),
                Subquery,
            ),
            (
                inner("(SELECT SUM(age) AS h FROM people WHERE age IN (SELECT 1))"),
                Subquery,
            ),
            (from("ORDER BY age"), OrderBy),
            (from("LIMIT 1"), Limit),
            ("SELECT DISTINCT COUNT(*) FROM people".into(), Distinct),
            ("SELECT COUNT(DISTINCT age) FROM people".into(), Distinct),
            (from("UNION SELECT 1"), SetOperation),
            ("SELECT SUM(age) OVER () FROM people".into(), Window),
            (
                "SELECT SUM(CASE WHEN age > 1 THEN 1 END) FROM people".into(),
                Case,
            ),
            (from("WHERE town LIKE 'a%'"), Pattern("LIKE".into())),
            (from("p"), Alias),
            (from("AS p"), Alias),
            ("SELECT COUNT(*) total FROM people".into(), Alias),
            (
                "SELECT COUNT(*), SUM(age) FROM people".into(),
                SeveralResults,
            ),
            ("SELECT * FROM people".into(), NotAStatistic),
            ("SELECT age FROM people".into(), NotAStatistic),
            ("SELECT ABS(age) FROM people".into(), NotAStatistic),
            ("SELECT SUM(age) / 2 FROM people".into(), NestedStatistic),
            ("SELECT SUM(SUM(age)) FROM people".into(), NestedStatistic),
            (from("WHERE AVG(age) > 2"), NestedStatistic),
            (
                "SELECT ROUND(age) FROM people".into(),
                Function("ROUND".into()),
            ),
            (
                from("WHERE load_extension('x') = 1"),
                Function("load_extension".into()),
            ),
            (
                from("WHERE \"count\"(age) = 1"),
                Function("\"count\"".into()),
            ),
            (from("WHERE age = 1e3"), Literal("1e3".into())),
            (from("WHERE age = 0x10"), Literal("X'10'".into())),
            (from("WHERE age = TRUE"), Literal("TRUE".into())),
            (from("WHERE age % 2 = 1"), Sign("%".into())),
            (from("WHERE town || 'x' = 'y'"), Sign("||".into())),
            (from("WHERE town[1] = 'y'"), Sign("[".into())),
            (from("WHERE age::text = 'y'"), Sign("::".into())),
            (from("WHERE town = 'a\0b'"), Sign("\\u{0}".into())),
            (
                from("WHERE town COLLATE nocase = 'a'"),
                Other("COLLATE".into()),
            ),
            (from("WHERE EXISTS (SELECT 1)"), Other("EXISTS".into())),
        ] {
            let sql: String = sql;
            assert_eq!(
                ask(&sql),
                Err(QuestionError::Unsupported(construct)),
                "{sql}"
            );
        }
    }

    #[test]
    fn refuses_names_that_the_vocabulary_lacks_and_guesses() {
        let error = |sql: &str| ask(sql).expect_err(sql).to_string();
        assert_eq!(
            error("SELECT COUNT(*) FROM peeple"),
            "the community has no table \"peeple\"; did you mean \"people\"?"
        );
        assert_eq!(
            error("SELECT SUM(sleep) FROM people"),
            "table \"people\" has no column \"sleep\""
        );
        assert_eq!(
            error("SELECT SUM(sleep_hour) FROM people"),
            "table \"people\" has no column \"sleep_hour\"; did you mean \"sleep_hours\"?"
        );
        assert_eq!(
            error("SELECT COUNT(*) FROM people WHERE gender = 'female'"),
            "column \"gender\" never holds 'female'; did you mean \"Female\"?"
        );
        assert_eq!(
            error("SELECT COUNT(*) FROM people WHERE gender IN ('Male', 'Robot')"),
            "column \"gender\" never holds 'Robot'"
        );
    }

    #[test]
    fn refuses_what_has_no_meaning() {
        let count = |text: &str| ask(&format!("SELECT COUNT(*) FROM people WHERE {text}"));
        assert!(matches!(
            ask("SELECT AVG(town) FROM people"),
            Err(QuestionError::NotANumber { .. })
        ));
        assert!(matches!(
            ask("SELECT SUM(age = 1) FROM people"),
            Err(QuestionError::NotANumber { .. })
        ));
        assert!(matches!(
            ask("SELECT SUM(1) FROM people"),
            Err(QuestionError::NoColumn { .. })
        ));
        assert!(matches!(
            ask("SELECT COUNT(1) FROM people"),
            Err(QuestionError::NoColumn { .. })
        ));
        for text in [
            "age",
            "1",
            "NOT town",
            "age + 1",
            "age = 1 AND age",
            "NULL",
            "'Male'",
        ] {
            assert!(
                matches!(count(text), Err(QuestionError::NotACondition { .. })),
                "{text}"
            );
        }
        for text in ["1 < age < 5", "age = NULL", "age + 'x' = 2", "age = (1, 2)"] {
            assert!(
                matches!(count(text), Err(QuestionError::NotANumber { .. })),
                "{text}"
            );
        }
        for text in [
            "1 = 1",
            "'a' = 'a'",
            "1 IN (1)",
            "1 BETWEEN 0 AND 2",
            "2 IS NULL",
        ] {
            assert!(
                matches!(count(text), Err(QuestionError::NoColumn { .. })),
                "{text}"
            );
        }
        for text in [
            "age = 'x'",
            "gender = 1",
            "town IN ('a', 2)",
            "town BETWEEN 'a' AND age",
        ] {
            assert!(
                matches!(count(text), Err(QuestionError::Incomparable { .. })),
                "{text}"
            );
        }
        for text in [
            "gender < 'Male'",
            "gender BETWEEN 'Female' AND 'Male'",
            "gender > town",
        ] {
            assert!(
                matches!(count(text), Err(QuestionError::NoOrder { .. })),
                "{text}"
            );
        }
        for sql in [
            "",
            ";",
            "SELECT",
            "SELECT COUNT(*)",
            "SELECT COUNT(*) FROM",
            "SELECT FROM people",
            "SELECT COUNT(*) FROM people WHERE",
            "SELECT COUNT(*) FROM people WHERE age = ",
            "SELECT COUNT() FROM people",
            "SELECT SUM(*) FROM people",
            "SELECT SUM(age, age) FROM people",
            "SELECT COUNT(*) FROM main.people",
            "SELECT COUNT(*) FROM people WHERE age IN ()",
            "SELECT COUNT(*) FROM people WHERE town = 'open",
            "SELECT COUNT(*) FROM people WHERE (age = 1",
        ] {
            assert!(
                matches!(
                    ask(sql),
                    Err(QuestionError::Syntax(_)
                        | QuestionError::Unsupported(_)
                        | QuestionError::Arguments { .. })
                ),
                "{sql}"
            );
        }
    }

    #[test]
    fn refuses_what_fixed_point_cannot_hold() {
        let sum = |expr: &str| ask(&format!("SELECT SUM({expr}) FROM people"));
        for expr in [
            "huge + 1",
            "huge * 2",
            "huge + 0.5",
            "huge * huge",
            "huge - -1",
            "99999999999999999999",
        ] {
            assert!(
                matches!(sum(expr), Err(QuestionError::TooLarge { .. })),
                "{expr}"
            );
        }
        for expr in [
            "fine * 0.1",
            "sleep_hours * 0.123456789",
            "age * 0.0000000001",
            "fine / 10",
        ] {
            assert!(
                matches!(sum(expr), Err(QuestionError::TooPrecise { .. })),
                "{expr}"
            );
        }
        for expr in [
            "age / 3",
            "age / age",
            "age / (1 + 1)",
            "1 / age",
            "age / 60",
        ] {
            assert!(
                matches!(sum(expr), Err(QuestionError::InexactDivision { .. })),
                "{expr}"
            );
        }
        assert_eq!(sum("age / 0.00"), Err(QuestionError::DivisionByZero));
        assert_eq!(
            sum("broken"),
            Err(QuestionError::BadRange {
                column: "broken".into()
            })
        );
        // Comparing needs one scale for both sides, which must fit as well.
        let compared = ask("SELECT COUNT(*) FROM people WHERE huge > 0.5");
        assert!(matches!(compared, Err(QuestionError::TooLarge { .. })));
        assert!(sum("huge").is_ok());
    }

    #[test]
    fn bounds_length_and_depth() {
        let long = format!(
            "SELECT COUNT(*) FROM people WHERE town = '{}'",
            "x".repeat(MAX_TEXT)
        );
        assert_eq!(ask(&long), Err(QuestionError::TooLong { len: long.len() }));
        // Short enough as written, but not once every name is quoted.
        let parts = vec!["age=1"; 420].join(" OR ");
        let grows = format!("SELECT COUNT(*) FROM people WHERE {parts}");
        assert!(grows.len() <= MAX_TEXT);
        assert!(matches!(ask(&grows), Err(QuestionError::TooLong { len }) if len > MAX_TEXT));

        let brackets = |n: usize| {
            ask(&format!(
                "SELECT SUM({}age{}) FROM people",
                "(".repeat(n),
                ")".repeat(n)
            ))
        };
        assert!(brackets(MAX_DEPTH - 1).is_ok());
        assert_eq!(brackets(MAX_DEPTH), Err(QuestionError::TooDeep));
        let nots = |n: usize| {
            ask(&format!(
                "SELECT COUNT(*) FROM people WHERE {}age = 1",
                "NOT ".repeat(n)
            ))
        };
        assert!(nots(MAX_DEPTH - 2).is_ok());
        assert_eq!(nots(MAX_DEPTH - 1), Err(QuestionError::TooDeep));
        assert_eq!(nots(1000), Err(QuestionError::TooDeep));
        let minuses = format!("SELECT SUM({}age) FROM people", "- ".repeat(2000));
        assert_eq!(ask(&minuses), Err(QuestionError::TooDeep));
        let chain = format!("SELECT SUM(1{}) FROM people", "+1".repeat(2000));
        assert_eq!(ask(&chain), Err(QuestionError::TooDeep));
        // A long chain of OR is flat, however it is bracketed.
        let wide = format!(
            "SELECT COUNT(*) FROM people WHERE age=0{}",
            " OR age=1".repeat(200)
        );
        assert!(ask(&wide).is_ok());
    }

    #[test]
    fn what_is_just_not_too_deep_can_be_read_again() {
        let (mut accepted, mut refused) = (0, 0);
        for (open, close) in [
            ("(", ")"),
            ("-(1+", ")"),
            ("1+(1-", ")"),
            ("abs(-", ")"),
            ("-abs(", ")"),
            ("1-", ""),
            ("", "*1"),
            ("(", "/2)*2"),
        ] {
            for n in 0..40 {
                let value = format!("{}count{}", open.repeat(n), close.repeat(n));
                let sum = format!("SELECT SUM({value}) FROM people");
                let not = format!("SELECT COUNT(*) FROM people WHERE NOT ({value} > 1)");
                let (left, right) = ("NOT (age = 1 AND (age = 2 OR ".repeat(n), "))".repeat(n));
                let nested = format!("SELECT COUNT(*) FROM people WHERE {left}age = 3{right}");
                for text in [sum, not, nested] {
                    match ask(&text) {
                        Ok(question) => {
                            accepted += 1;
                            assert_eq!(ask(question.sql()), Ok(question), "{text}");
                        }
                        Err(_) => refused += 1,
                    }
                }
            }
        }
        assert!(
            accepted > 200 && refused > 200,
            "{accepted} accepted, {refused} refused"
        );
    }

    #[test]
    fn hostile_nesting_costs_little() {
        // Parsers that try several readings of a bracket take time exponential in the depth; ten thousand of these
        // must not.
        let start = "SELECT COUNT(*) FROM people WHERE ";
        for pattern in [
            "(",
            "((age) = ",
            "age IN (",
            "NOT (",
            "(abs(",
            "-(",
            "(age, ",
            "((1), (",
            "age IN (SELECT ",
            "SUM(",
            "BUCKET(",
        ] {
            let text: String = start.to_string() + &pattern.repeat(31);
            assert!(ask(&text).is_err(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn the_canonical_text_gives_the_same_question(text in question_text()) {
            if let Ok(question) = ask(&text) {
                prop_assert_eq!(ask(question.sql()), Ok(question));
            }
        }

        #[test]
        fn any_text_gives_a_question_or_an_error(text in "\\PC{0,80}") {
            let _ = Question::parse(&text, &vocabulary(), PEOPLE);
        }

        #[test]
        fn any_words_give_a_question_or_an_error(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "SELECT", "COUNT", "SUM", "(", ")", "*", "FROM", "people", "WHERE", "age", "gender", "AND", "OR",
                    "NOT", "BETWEEN", "IN", "IS", "NULL", "=", "<", "-", "+", "/", "1", "0.5", "'Male'", ",", ".", "ABS",
                    "\"town\"", ";", "count", "GROUP", "BY",
                    "BUCKET", "HAVING", "AS", "TOP", "MEDIAN", "h",
                ]),
                0..30,
            ),
        ) {
            let text = format!("SELECT COUNT(*) FROM people WHERE {}", words.join(" "));
            if let Ok(question) = ask(&text) {
                prop_assert_eq!(ask(question.sql()), Ok(question));
            }
        }
    }
}
