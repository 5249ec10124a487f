//! What of a text reaches the SQL parser: the words and signs of the question language, and nothing else.
//!
//! A question comes from a stranger. `sqlparser` reads a dozen dialects; the gate sees to it that the part of it that
//! ever runs is small: every other construct is refused here by name, and every word that is not one of ours goes on as
//! a quoted identifier, so that it can have no meaning of its own.

use std::ops::Range;

use community::Table;
use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace, Word};

use crate::construct::Construct;
use crate::error::QuestionError;
use crate::question::{MAX_DEPTH, MAX_TEXT};

/// Words that keep their SQL meaning wherever they stand.
const KEYWORDS: [&str; 10] = [
    "SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "BETWEEN", "IN", "IS", "NULL",
];

/// Words that name a function before an opening bracket.
const FUNCTIONS: [&str; 26] = [
    "COUNT",
    "SUM",
    "AVG",
    "VAR_POP",
    "VAR_SAMP",
    "VARIANCE",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "STDDEV",
    "SKEWNESS",
    "KURTOSIS",
    "HISTOGRAM",
    "MEDIAN",
    "QUANTILE",
    "PERCENTILE",
    "MIN",
    "MAX",
    "TOP",
    "MODE",
    "COVAR_POP",
    "COVAR_SAMP",
    "CORR",
    "REGR",
    "LOGISTIC",
    "ABS",
    "BUCKET",
];

/// How the language is split into words: standard SQL, with letters of any script in names.
#[derive(Debug)]
pub(crate) struct QuestionDialect;

impl Dialect for QuestionDialect {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }
}

/// The tokens of `sql`, all of them of the language, ready to parse.
///
/// # Errors
///
/// Refuses texts over [`MAX_TEXT`] bytes or nested deeper than [`MAX_DEPTH`], and names the first construct that the
/// language leaves out. A word that `vocabulary` uses for a table or column passes even if SQL has another use for it.
pub(crate) fn tokens(sql: &str, vocabulary: &[Table]) -> Result<Vec<TokenWithSpan>, QuestionError> {
    if sql.len() > MAX_TEXT {
        return Err(QuestionError::TooLong { len: sql.len() });
    }
    if let Some(control) = sql
        .chars()
        .find(|ch| ch.is_control() && !matches!(ch, '\t' | '\n' | '\r'))
    {
        return Err(Construct::Sign(control.escape_default().to_string()).into());
    }
    let mut tokens = Tokenizer::new(&QuestionDialect, sql)
        .tokenize_with_location()
        .map_err(|error| QuestionError::Syntax(error.to_string()))?;
    refuse_comments(&tokens)?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    drop_last_semicolon(&mut tokens)?;
    check_first(&tokens)?;
    check_depth(&tokens)?;
    let inner = inner_query(&tokens)?;
    for at in 0..tokens.len() {
        let here = Place {
            selects: at == 0 || Some(at) == inner.as_ref().map(|inner| inner.start),
            inner: inner.as_ref().is_some_and(|inner| inner.contains(&at)),
            groups: is_word(&tokens, at, "GROUP") && is_word(&tokens, at + 1, "BY")
                || at > 0 && is_word(&tokens, at, "BY") && is_word(&tokens, at - 1, "GROUP"),
            before_bracket: is_sign(&tokens, at + 1, &Token::LParen),
        };
        tokens[at].token = admit(&tokens[at].token, &here, vocabulary)?;
    }
    Ok(tokens)
}

/// Where a token stands.
struct Place {
    /// Where a SELECT may stand.
    selects: bool,
    /// Within the inner query.
    inner: bool,
    /// One of the words GROUP BY.
    groups: bool,
    before_bracket: bool,
}

/// The tokens between the brackets after the first FROM, if there are any: the inner query. Only one FROM may be followed
/// by a bracket, and only by that of a SELECT, so that no depth of brackets has a parser try several readings.
fn inner_query(tokens: &[TokenWithSpan]) -> Result<Option<Range<usize>>, QuestionError> {
    let mut opened = (0..tokens.len())
        .filter(|at| is_word(tokens, *at, "FROM") && is_sign(tokens, at + 1, &Token::LParen));
    let Some(from) = opened.next() else {
        return Ok(None);
    };
    if opened.next().is_some() {
        return Err(Construct::Subquery.into());
    }
    let start = from + 2;
    if !is_word(tokens, start, "SELECT") {
        return Err(QuestionError::Syntax(
            "after FROM stands a table, or (SELECT …) over each person's own rows".into(),
        ));
    }
    let mut depth = 1usize;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(Some(start..at));
        }
    }
    Err(QuestionError::Syntax("a bracket is not closed".into()))
}

/// Whether this word of SQL, without quotes, stands there.
fn is_word(tokens: &[TokenWithSpan], at: usize, word: &str) -> bool {
    matches!(
        tokens.get(at).map(|token| &token.token),
        Some(Token::Word(found)) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word)
    )
}

fn is_sign(tokens: &[TokenWithSpan], at: usize, sign: &Token) -> bool {
    tokens.get(at).is_some_and(|token| token.token == *sign)
}

fn refuse_comments(tokens: &[TokenWithSpan]) -> Result<(), QuestionError> {
    let is_comment = |token: &TokenWithSpan| {
        matches!(
            token.token,
            Token::Whitespace(
                Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)
            )
        )
    };
    if tokens.iter().any(is_comment) {
        Err(Construct::Comment.into())
    } else {
        Ok(())
    }
}

/// One semicolon may end the text; anything after it is a second statement.
fn drop_last_semicolon(tokens: &mut Vec<TokenWithSpan>) -> Result<(), QuestionError> {
    match tokens
        .iter()
        .position(|token| token.token == Token::SemiColon)
    {
        None => Ok(()),
        Some(at) if at + 1 == tokens.len() => {
            tokens.pop();
            Ok(())
        }
        Some(_) => Err(Construct::SecondStatement.into()),
    }
}

fn check_first(tokens: &[TokenWithSpan]) -> Result<(), QuestionError> {
    let first = tokens
        .first()
        .ok_or_else(|| QuestionError::Syntax("the text is empty".into()))?;
    match &first.token {
        Token::Word(word) if word.keyword == Keyword::SELECT => Ok(()),
        Token::Word(word) if word.keyword == Keyword::WITH => Err(Construct::With.into()),
        other => Err(Construct::Statement(other.to_string()).into()),
    }
}

/// Bounds the parser's recursion before it starts.
fn check_depth(tokens: &[TokenWithSpan]) -> Result<(), QuestionError> {
    let (mut depth, mut signs) = (0usize, 0usize);
    for token in tokens {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        // Each level of ours is at most a sign and a bracket before its operand.
        signs = match &token.token {
            Token::LParen | Token::Minus => signs + 1,
            Token::Word(word) if word.keyword == Keyword::NOT => signs + 1,
            _ => 0,
        };
        if depth > MAX_DEPTH || signs > 2 * MAX_DEPTH {
            return Err(QuestionError::TooDeep);
        }
    }
    Ok(())
}

/// The token that the parser gets in place of `token`.
fn admit(token: &Token, here: &Place, vocabulary: &[Table]) -> Result<Token, Construct> {
    match token {
        Token::Word(word) if word.quote_style.is_some() => {
            if here.before_bracket {
                Err(Construct::Function(word.to_string()))
            } else {
                Ok(identifier(word))
            }
        }
        Token::Word(word) => admit_word(word, here, vocabulary),
        Token::Number(_, false)
        | Token::SingleQuotedString(_)
        | Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::Eq
        | Token::Neq
        | Token::Lt
        | Token::LtEq
        | Token::Gt
        | Token::GtEq
        | Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div => Ok(token.clone()),
        Token::Placeholder(_) | Token::Question | Token::Colon | Token::AtSign => {
            Err(Construct::Parameter)
        }
        Token::Number(..) | Token::HexStringLiteral(_) | Token::NationalStringLiteral(_) => {
            Err(Construct::Literal(token.to_string()))
        }
        sign => Err(Construct::Sign(sign.to_string())),
    }
}

fn admit_word(word: &Word, here: &Place, vocabulary: &[Table]) -> Result<Token, Construct> {
    let upper = word.value.to_ascii_uppercase();
    if upper == "SELECT" && !here.selects {
        return Err(Construct::Subquery);
    }
    let keeps = KEYWORDS.contains(&upper.as_str())
        || here.groups
        || here.inner && matches!(upper.as_str(), "AS" | "HAVING");
    if keeps {
        return Ok(Token::Word(word.clone()));
    }
    if here.before_bracket && FUNCTIONS.contains(&upper.as_str()) {
        // A function like any other: some of these words, such as TOP, also mean something else to the parser.
        return Ok(Token::Word(Word {
            keyword: Keyword::NoKeyword,
            ..word.clone()
        }));
    }
    if let Some(construct) = left_out(&upper)
        && !names(vocabulary, &word.value)
    {
        return Err(construct);
    }
    if here.before_bracket {
        Err(Construct::Function(word.value.clone()))
    } else {
        Ok(identifier(word))
    }
}

/// A word as a mere name.
fn identifier(word: &Word) -> Token {
    Token::Word(Word {
        value: word.value.clone(),
        quote_style: Some('"'),
        keyword: Keyword::NoKeyword,
    })
}

/// Whether the vocabulary calls a table or column so.
fn names(vocabulary: &[Table], word: &str) -> bool {
    vocabulary.iter().any(|table| {
        table.name.eq_ignore_ascii_case(word)
            || table
                .columns
                .iter()
                .any(|column| column.name.eq_ignore_ascii_case(word))
    })
}

/// The construct that an SQL word introduces, for those that people are likely to try.
fn left_out(upper: &str) -> Option<Construct> {
    Some(match upper {
        "JOIN" | "INNER" | "LEFT" | "RIGHT" | "FULL" | "CROSS" | "NATURAL" => Construct::Join,
        "GROUP" => Construct::GroupBy,
        "HAVING" => Construct::Having,
        "ORDER" => Construct::OrderBy,
        "LIMIT" | "OFFSET" | "FETCH" | "TOP" => Construct::Limit,
        "DISTINCT" => Construct::Distinct,
        "UNION" | "INTERSECT" | "EXCEPT" => Construct::SetOperation,
        "WITH" => Construct::With,
        "OVER" | "WINDOW" | "PARTITION" => Construct::Window,
        "CASE" => Construct::Case,
        "LIKE" | "ILIKE" | "GLOB" | "REGEXP" | "RLIKE" | "SIMILAR" | "MATCH" => {
            Construct::Pattern(upper.to_string())
        }
        "AS" => Construct::Alias,
        "TRUE" | "FALSE" => Construct::Literal(upper.to_string()),
        "EXISTS" | "ALL" | "ANY" | "SOME" | "XOR" | "DIV" | "MOD" | "COLLATE" | "ESCAPE"
        | "INTERVAL" | "INTO" | "ISNULL" | "NOTNULL" => Construct::Other(upper.to_string()),
        _ => return None,
    })
}
