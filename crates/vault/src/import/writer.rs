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
use crate::import::batch::{Batch, Held, Stored};
use crate::import::days::Touched;
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
    /// First and last moment of the rows of batches in which some were new, by table.
    pub(crate) touched: BTreeMap<&'static str, Touched>,
    /// Rows that were there already.
    pub(crate) duplicate: u64,
    /// What could not be used.
    pub(crate) faults: Faults,
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
    let (faults, duplicate) = read?;
    writer.done.duplicate += duplicate;
    writer.done.faults = faults;
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
}

/// A statement that inserts some rows.
struct Insert<'t> {
    statement: Statement<'t>,
    rows: usize,
    /// The texts that are bound, by parameter: most rows have the same device or program as the one before.
    bound: Vec<Option<String>>,
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
        let (mut rows, mut kept) = (batch.rows(), 0);
        while rows.len() > 0 {
            let insert = match rows.len() < AT_ONCE {
                true => &mut table.one,
                false => &mut table.many,
            };
            let some = rows.by_ref().take(insert.rows);
            kept += insert.execute(batch, some)?;
        }
        self.done.duplicate += batch.rows().len() as u64 - kept;
        if kept == 0 {
            return Ok(());
        }
        *self.done.kept.entry(batch.shape.name).or_default() += kept;
        if let Some((first, last)) = batch.moments() {
            let touched = self.done.touched.entry(batch.shape.name);
            let touched = touched.or_insert((first, last));
            *touched = (touched.0.min(first), touched.1.max(last));
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
                bound: vec![None; rows * batch.width()],
            })
        };
        self.tables.push(Ready {
            name: shape.name,
            one: insert(1)?,
            many: insert(AT_ONCE)?,
        });
        Ok(self.tables.len() - 1)
    }
}

impl Insert<'_> {
    /// Inserts as many rows as it is for; gives how many were not there.
    fn execute<'a>(
        &mut self,
        batch: &Batch,
        rows: impl Iterator<Item = &'a [Held]>,
    ) -> Result<u64, VaultError> {
        let held = rows.flatten();
        for (place, (held, bound)) in held.zip(&mut self.bound).enumerate() {
            let parameter = place + 1;
            match batch.stored(*held) {
                Stored::Text(text) if bound.as_deref() == Some(text) => {}
                Stored::Text(text) => {
                    self.statement.raw_bind_parameter(parameter, text)?;
                    let bound = bound.get_or_insert_default();
                    bound.clear();
                    bound.push_str(text);
                }
                Stored::Integer(units) => {
                    self.statement.raw_bind_parameter(parameter, units)?;
                    *bound = None;
                }
                Stored::Null => {
                    let null = rusqlite::types::Null;
                    self.statement.raw_bind_parameter(parameter, null)?;
                    *bound = None;
                }
            }
        }
        Ok(self.statement.raw_execute()? as u64)
    }
}
