//! Open Financial Exchange: statements of bank accounts and cards, as banks export them. Version 1 is SGML, whose elements
//! need not be closed, version 2 is XML; both are read as a row of `<TAG>value`.

use std::io::{BufRead, BufReader, Read};

use crate::error::ImportError;
use crate::fault::{Place, Reason};
use crate::import::Source;
use crate::import::encoding::western;
use crate::import::input::Budget;
use crate::import::sink::{Cell, Sink, offset};

/// Tags with what follows each of them.
struct Tags<R> {
    input: R,
    budget: Budget,
    bytes: Vec<u8>,
    at: u64,
}

/// A statement, and the transaction that is being read.
#[derive(Default)]
struct Statement {
    currency: String,
    account: String,
    transaction: Option<Transaction>,
}

#[derive(Default)]
struct Transaction {
    place: Option<Place>,
    kind: String,
    posted: String,
    amount: String,
    currency: String,
    name: String,
    memo: String,
    reference: String,
}

pub(crate) fn read<R: Read>(source: Source<R>, sink: &mut Sink) -> Result<(), ImportError> {
    let mut tags = Tags {
        input: BufReader::new(source.input),
        budget: source.budget,
        bytes: Vec::new(),
        at: 0,
    };
    let mut statement = Statement::default();
    // Some banks close nothing, the file neither; one that closes elements is cut off if it does not end so. Every statement
    // has the balance after its transactions, so one that closes nothing is cut off without it.
    let (mut closes, mut balanced) = (false, true);
    // What stands before the first tag.
    tags.next()?;
    loop {
        let place = Place::Byte(tags.at);
        let Some((tag, value)) = tags.next()? else {
            return match closes || !balanced {
                true => Err(ImportError::Truncated { place }),
                false => statement.end(sink),
            };
        };
        closes |= tag.starts_with('/');
        match tag.as_str() {
            "STMTTRN" => {
                statement.end(sink)?;
                balanced = false;
                statement.transaction = Some(Transaction {
                    place: Some(place),
                    ..Transaction::default()
                });
            }
            "LEDGERBAL" => {
                balanced = true;
                statement.end(sink)?;
            }
            "/STMTTRN" | "/BANKTRANLIST" => statement.end(sink)?,
            "/OFX" => return statement.end(sink),
            "STMTRS" | "CCSTMTRS" => {
                statement.end(sink)?;
                statement = Statement::default();
            }
            "INVBUY" | "INVSELL" | "INCOME" | "REINVEST" => sink.skip(place, Reason::NoTable),
            _ => statement.take(&tag, value),
        }
    }
}

impl<R: BufRead> Tags<R> {
    /// The next tag, in capitals, and the text after it.
    fn next(&mut self) -> Result<Option<(String, String)>, ImportError> {
        self.budget.renew();
        self.bytes.clear();
        let place = Place::Byte(self.at);
        let read = self.input.read_until(b'<', &mut self.bytes);
        let read = read.map_err(|why| match why.kind() {
            std::io::ErrorKind::FileTooLarge => ImportError::TooLarge { place },
            kind => ImportError::Io(kind),
        })?;
        if read == 0 {
            return Ok(None);
        }
        self.at += read as u64;
        let bytes = self.bytes.strip_suffix(b"<").unwrap_or(&self.bytes);
        // Banks write Windows' Western characters, whatever the head of the file says.
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().copied().map(western).collect(),
        };
        let (tag, value) = text.split_once('>').unwrap_or(("", &text));
        let value = quick_xml::escape::unescape(value.trim());
        let value = value.map_or_else(|_| String::new(), |value| value.into_owned());
        Ok(Some((tag.trim().to_ascii_uppercase(), value)))
    }
}

impl Statement {
    fn take(&mut self, tag: &str, value: String) {
        let Some(transaction) = &mut self.transaction else {
            match tag {
                "CURDEF" => self.currency = value,
                "ACCTID" => self.account = value,
                _ => {}
            }
            return;
        };
        match tag {
            "TRNTYPE" => transaction.kind = value.to_lowercase(),
            "DTPOSTED" => transaction.posted = value,
            "TRNAMT" => transaction.amount = value,
            "CURSYM" => transaction.currency = value,
            "NAME" => transaction.name = value,
            "MEMO" => transaction.memo = value,
            "FITID" => transaction.reference = value,
            _ => {}
        }
    }

    /// Keeps the transaction that is being read, if there is one.
    fn end(&mut self, sink: &mut Sink) -> Result<(), ImportError> {
        let Some(transaction) = self.transaction.take() else {
            return Ok(());
        };
        let place = transaction.place.expect("it has begun");
        let Some(time) = sink.time(&transaction.posted) else {
            sink.skip(place, Reason::NotATime);
            return Ok(());
        };
        let amount = match transaction.amount.contains('.') {
            true => transaction.amount.clone(),
            false => transaction.amount.replace(',', "."),
        };
        let currency = match transaction.currency.as_str() {
            "" => &self.currency,
            own => own,
        };
        let cells = [
            ("at_utc_s", Cell::Units(time.utc_s)),
            ("utc_offset_min", offset(time)),
            ("amount", Cell::Number(&amount)),
            ("currency", Cell::Word(currency)),
            ("kind", Cell::Word(&transaction.kind)),
            ("party", Cell::Word(&transaction.name)),
            ("memo", Cell::Word(&transaction.memo)),
            ("account", Cell::Word(&self.account)),
            ("reference", Cell::Word(&transaction.reference)),
        ];
        sink.keep(place, "transactions", &cells)
    }
}
