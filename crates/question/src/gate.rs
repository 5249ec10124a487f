//! What of a text reaches the SQL parser: the words and signs of the question language, and nothing else.
//!
//! A question comes from a stranger. `sqlparser` reads a dozen dialects; the gate sees to it that the part of it that
//! ever runs is small: every other construct is refused here by name, and every word that is not one of ours goes on as
//! a quoted identifier, so that it can have no meaning of its own.

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

/// Words that keep their SQL meaning before an opening bracket.
const FUNCTIONS: [&str; 4] = ["COUNT", "SUM", "AVG", "ABS"];

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
    for at in 0..tokens.len() {
        let before_bracket = tokens
            .get(at + 1)
            .is_some_and(|next| next.token == Token::LParen);
        tokens[at].token = admit(&tokens[at].token, at == 0, before_bracket, vocabulary)?;
    }
    Ok(tokens)
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
fn admit(
    token: &Token,
    is_first: bool,
    before_bracket: bool,
    vocabulary: &[Table],
) -> Result<Token, Construct> {
    match token {
        Token::Word(word) if word.quote_style.is_some() => {
            if before_bracket {
                Err(Construct::Function(word.to_string()))
            } else {
                Ok(identifier(word))
            }
        }
        Token::Word(word) => admit_word(word, is_first, before_bracket, vocabulary),
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

fn admit_word(
    word: &Word,
    is_first: bool,
    before_bracket: bool,
    vocabulary: &[Table],
) -> Result<Token, Construct> {
    let upper = word.value.to_ascii_uppercase();
    if upper == "SELECT" && !is_first {
        return Err(Construct::Subquery);
    }
    if KEYWORDS.contains(&upper.as_str()) || (before_bracket && FUNCTIONS.contains(&upper.as_str()))
    {
        return Ok(Token::Word(word.clone()));
    }
    if let Some(construct) = left_out(&upper)
        && !names(vocabulary, &word.value)
    {
        return Err(construct);
    }
    if before_bracket {
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
