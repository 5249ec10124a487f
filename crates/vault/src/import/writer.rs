//! Reading on one thread, writing on another: parsing and SQLite each take processor time of their own.
//!
//! Rows go over in [batches](Batch), a few of which may wait, so that the memory does not grow with the file. All of them are
//! written in the one transaction that the caller holds, here, on the caller's thread.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use question::quoted;
use rusqlite::{Connection, OptionalExtension, Statement};

use crate::error::{ImportError, VaultError};
use crate::fault::Faults;
use crate::import::added::Added;
use crate::import::batch::{Batch, Held, Stored};
use crate::import::input::Progress;
use crate::import::sink::{DIGEST, Sink, create};
use crate::vocabulary::vocabulary;

/// Batches that wait. Guess: enough that neither side waits for the other's hiccups.
const WAITING: usize = 4;

/// Rows of one statement: with many, SQLite goes on from where the last row went instead of searching for each. Guess; 512
/// were no faster on a busy machine.
const AT_ONCE: usize = 64;

/// Bytes of the reading thread's stack. Nothing that is read nests deeply; this is what main threads have.
const STACK: usize = 8 << 20;

/// What the reader tells the writer.
#[derive(Debug)]
pub(crate) enum Told {
    /// Rows to keep.
    Rows(Batch),
    /// How far it is.
    Read(Progress),
}

/// What an import did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Rows that are new, by table.
    pub(crate) kept: BTreeMap<&'static str, u64>,
    /// What they add to the tables by day.
    pub(crate) added: Vec<Added>,
    /// Rows that were there already.
    pub(crate) duplicate: u64,
    /// What could not be used.
    pub(crate) faults: Faults,
    /// Whom it was about, where the file says.
    pub(crate) person: Option<String>,
}

/// Lets `read` put rows into a sink on a thread of its own, and writes them. Nothing is committed here.
pub(crate) fn run(
    connection: &Connection,
    import: i64,
    zone: Option<i64>,
    progress: &mut dyn FnMut(Progress),
    read: impl FnOnce(&mut Sink, SyncSender<Told>) -> Result<(), ImportError> + Send,
) -> Result<Done, ImportError> {
    let single = singles(connection)?;
    let (told, heard) = sync_channel(WAITING);
    let work = move || {
        let mut sink = Sink::new(told.clone(), zone, single);
        read(&mut sink, told)?;
        sink.end()
    };
    let mut writer = Writer {
        connection,
        import,
        tables: Vec::new(),
        done: Done::default(),
    };
    let (written, read) = thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(STACK);
        let reader = reader.spawn_scoped(scope, work)?;
        let written = writer.write_all(&heard, progress);
        // A reader that goes on hears that nobody writes any more.
        drop(heard);
        let read = reader.join().unwrap_or_else(|why| resume_unwind(why));
        Ok::<_, ImportError>((written, read))
    })?;
    // What went wrong with writing is why the reader could not go on.
    written?;
    let (faults, duplicate, person) = read?;
    writer.done.person = person;
    writer.done.duplicate += duplicate;
    writer.done.faults = faults;
    let added = writer.tables.into_iter().flat_map(|table| table.added);
    writer.done.added = added.collect();
    Ok(writer.done)
}

/// The digests of the rows of tables that have one at most.
fn singles(connection: &Connection) -> Result<BTreeMap<&'static str, i64>, VaultError> {
    let mut found = BTreeMap::new();
    for shape in vocabulary().filter(|shape| shape.single) {
        let declared = crate::vault::declaration(connection, shape.name)?;
        if declared.is_some_and(|table| table == shape.table()) {
            let sql = format!("SELECT {DIGEST} FROM {}", quoted(shape.name));
            let row = connection.query_row(&sql, [], |row| row.get(0));
            if let Some(digest) = row.optional()? {
                found.insert(shape.name, digest);
            }
        }
    }
    Ok(found)
}

struct Writer<'t> {
    connection: &'t Connection,
    import: i64,
    tables: Vec<Ready<'t>>,
    done: Done,
}

/// A table that takes rows.
struct Ready<'t> {
    name: &'static str,
    one: Insert<'t>,
    many: Insert<'t>,
    added: Vec<Added>,
}

/// A statement that inserts some rows.
struct Insert<'t> {
    statement: Statement<'t>,
    rows: usize,
    /// What is bound, by parameter: most rows have much in common with those of the statement before.
    bound: Vec<Bound>,
}

/// What SQLite has for a parameter.
#[derive(Debug, Clone, PartialEq)]
enum Bound {
    /// As it is before anything was bound.
    Null,
    Integer(i64),
    Text(String),
}

impl<'t> Writer<'t> {
    fn write_all(
        &mut self,
        heard: &Receiver<Told>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), ImportError> {
        for told in heard {
            match told {
                Told::Rows(batch) => self.write(&batch)?,
                Told::Read(read) => progress(read),
            }
        }
        Ok(())
    }

    fn write(&mut self, batch: &Batch) -> Result<(), ImportError> {
        let ready = self.ready(batch)?;
        let table = &mut self.tables[ready];
        let (mut rest, mut kept, mut duplicate) = (batch.rows(), 0, 0);
        while !rest.is_empty() {
            let insert = match rest.len() < AT_ONCE * batch.width() {
                true => &mut table.one,
                false => &mut table.many,
            };
            let rows = rest.split_off(..insert.rows * batch.width());
            let rows = rows.expect("a statement takes no more than there are");
            let new = insert.execute(batch, rows)?;
            let known = insert.rows as u64 - new;
            for added in &mut table.added {
                match (new, known) {
                    (0, _) => {}
                    (_, 0) => added.add(self.connection, batch, rows)?,
                    _ => added.doubt(batch, rows),
                }
            }
            kept += new;
            duplicate += known;
        }
        self.done.duplicate += duplicate;
        if kept > 0 {
            *self.done.kept.entry(batch.shape.name).or_default() += kept;
        }
        Ok(())
    }

    fn ready(&mut self, batch: &Batch) -> Result<usize, ImportError> {
        let shape = batch.shape;
        let known = self.tables.iter().position(|it| it.name == shape.name);
        if let Some(known) = known {
            return Ok(known);
        }
        create(self.connection, shape)?;
        // One of two parameters of a row is the same for all.
        let import = self.import;
        let row = format!("({}, {import})", vec!["?"; batch.width()].join(", "));
        let connection = self.connection;
        let insert = |rows| -> Result<Insert<'t>, VaultError> {
            let rows_of = vec![row.as_str(); rows].join(", ");
            let sql = format!(
                "INSERT OR IGNORE INTO {} VALUES {rows_of}",
                quoted(shape.name)
            );
            Ok(Insert {
                statement: connection.prepare(&sql)?,
                rows,
                bound: vec![Bound::Null; rows * batch.width()],
            })
        };
        self.tables.push(Ready {
            name: shape.name,
            one: insert(1)?,
            many: insert(AT_ONCE)?,
            added: Added::all(connection, shape)?,
        });
        Ok(self.tables.len() - 1)
    }
}

impl Insert<'_> {
    /// Inserts as many rows as it is for; gives how many were not there.
    fn execute(&mut self, batch: &Batch, rows: &[Held]) -> Result<u64, VaultError> {
        for (place, (held, bound)) in rows.iter().zip(&mut self.bound).enumerate() {
            let (parameter, stored) = (place + 1, batch.stored(*held));
            match (stored, &mut *bound) {
                (Stored::Null, Bound::Null) => {}
                (Stored::Integer(units), Bound::Integer(same)) if units == *same => {}
                (Stored::Text(text), Bound::Text(same)) if text == same => {}
                (Stored::Null, _) => {
                    let null = rusqlite::types::Null;
                    self.statement.raw_bind_parameter(parameter, null)?;
                    *bound = Bound::Null;
                }
                (Stored::Integer(units), _) => {
                    self.statement.raw_bind_parameter(parameter, units)?;
                    *bound = Bound::Integer(units);
                }
                (Stored::Text(text), _) => {
                    self.statement.raw_bind_parameter(parameter, text)?;
                    *bound = Bound::Text(text.to_owned());
                }
            }
        }
        Ok(self.statement.raw_execute()? as u64)
    }
}
