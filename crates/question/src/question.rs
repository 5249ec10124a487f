//! The question: checked once, then the same for everyone.

use aggregation::statistic::Statistic;
use community::{Column, Table};

use crate::condition::Condition;
use crate::error::QuestionError;
use crate::function::{Argument, Function};
use crate::gate;
use crate::inner::{Inner, InnerQuery};
use crate::names::quoted;
use crate::parts::Parting;
use crate::row::Row;
use crate::select::{self, Parts, Scope, Source};
use crate::told::{people_with_rows, title};

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
    groupings_told: Vec<String>,
    table: String,
    columns: Vec<String>,
    reads: Vec<Column>,
    inner: Option<InnerQuery>,
    rows_sql: Option<String>,
    filter: Option<String>,
    filter_told: Option<String>,
    title: String,
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
                asked.question(&scope, [&from, &from], &scope.table.name, people)?
            }
            Source::Inner(query) => {
                let inner = Inner::read(query, vocabulary)?;
                let asked = Asked::read(&parts, &mut Scope::new(&inner.query.row))?;
                let counted = inner.counted.as_ref().filter(|_| asked.counts_people());
                let short = counted.and_then(|counted| {
                    people_with_rows(counted, inner.query.rows_max, asked.condition.as_ref())
                });
                let told = format!("{} ({})", inner.scope.table.name, inner.query.title);
                let from = [inner.query.sql.as_str(), &inner.local];
                let question = asked.question(&inner.scope, from, &told, people)?;
                Self {
                    inner: Some(inner.query),
                    rows_sql: Some(inner.count),
                    title: short.unwrap_or(question.title),
                    ..question
                }
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

    /// The same in plain words.
    pub fn groupings_told(&self) -> &[String] {
        &self.groupings_told
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

    /// Who is asked: the canonical text after WHERE, and nothing where everybody is.
    pub fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    /// The same in plain words.
    pub fn filter_told(&self) -> Option<&str> {
        self.filter_told.as_deref()
    }

    /// What is asked of whom, in a line of plain words. Words that the question compares with stand in quotes; what is
    /// exact is [`sql`](Self::sql).
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The canonical text: what owners and readers of a proof are shown; it follows from the text that the plan binds. Parsing it gives an equal question.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The query in brackets, if there is one.
    pub fn inner(&self) -> Option<&InnerQuery> {
        self.inner.as_ref()
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

    /// How many rows of the owner's the query in brackets takes together, if there is one: a SELECT of one column and row,
    /// which runs like [`local_sql`](Self::local_sql). The owner is told alone: that there are too many, say.
    pub fn rows_sql(&self) -> Option<&str> {
        self.rows_sql.as_deref()
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

    /// Whether it is how many people there are, without groups.
    fn counts_people(&self) -> bool {
        matches!(self.argument, Argument::Row) && self.groups.is_empty()
    }

    /// The question to the table of `scope`, whose rows are named `from` in canonical and local SQL, and `told` in words.
    fn question(
        self,
        scope: &Scope<'_>,
        [from, local_from]: [&str; 2],
        told: &str,
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
        let title = title((function, &argument), told, condition.as_ref(), &groups);
        let filter = condition.as_ref().map(Condition::canonical);
        let filter_told = condition.as_ref().map(Condition::told);
        let after = |text: Option<&str>| text.map_or(String::new(), |it| format!(" WHERE {it}"));
        let canonical = after(filter.as_deref());
        let by = if groupings.is_empty() {
            String::new()
        } else {
            format!(" GROUP BY {}", groupings.join(", "))
        };
        let call = function.canonical(&argument);
        let local_filter = condition.as_ref().map(Condition::local);
        let condition = after(local_filter.as_deref());
        let result = local.join(", ");
        Ok(Question {
            function,
            statistic: Statistic::new(declaration)?,
            groupings,
            groupings_told: groups.iter().map(Parting::told).collect(),
            table: scope.table.name.clone(),
            columns: scope.reads.keys().map(|name| name.to_string()).collect(),
            reads: scope.reads.values().map(|&column| column.clone()).collect(),
            inner: None,
            rows_sql: None,
            filter,
            filter_told,
            title,
            sql: format!("SELECT {call} FROM {from}{canonical}{by}"),
            local_sql: format!("SELECT {result} FROM {local_from}{condition} LIMIT 2"),
            local_columns: local.len(),
        })
    }
}
