//! A CSV file, and whose records are taken.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use community::Table;
use csv::{ByteRecord, ReaderBuilder};

use crate::counted::counted;
use crate::demo::DemoError;

/// What the demo asks about unless told otherwise: NHANES 2017-18, public domain; see examples/data/README.md.
const NHANES: &[u8] = include_bytes!("../../../../examples/data/nhanes_2017_2018.csv");
const NHANES_NAME: &str = "nhanes_2017_2018";

/// A file of many people's records.
pub struct People {
    /// The table of all: name, columns, ranges.
    pub table: Table,
    /// Where the data come from, for people.
    pub source: String,
    /// The column that tells people apart.
    pub column: String,
    /// How many people the file has.
    pub total: usize,
    /// One small CSV file for each person that was taken.
    pub taken: Vec<Vec<u8>>,
    /// How many of those have more than one record.
    pub several: usize,
}

impl People {
    /// Reads the file, or the one that comes with the program, and takes so many people, evenly spread over it.
    pub fn read(
        file: Option<&Path>,
        column: Option<&str>,
        count: usize,
    ) -> Result<Self, DemoError> {
        let (bytes, name, source) = match file {
            None => (
                NHANES.to_vec(),
                NHANES_NAME.to_owned(),
                "NHANES 2017-18, public domain".to_owned(),
            ),
            Some(path) => {
                let shown = path.display();
                let bytes = fs::read(path)
                    .map_err(|why| DemoError::Usage(format!("cannot read {shown}: {why}")))?;
                (bytes, table_name(path), shown.to_string())
            }
        };
        let unusable = |why: String| DemoError::Usage(format!("{source} cannot be used: {why}"));
        let proposal =
            vault::propose(bytes.as_slice(), &name).map_err(|why| unusable(why.to_string()))?;
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .from_reader(bytes.as_slice());
        let header = reader
            .byte_headers()
            .map_err(|why| unusable(why.to_string()))?
            .clone();
        let place = match column {
            None => 0,
            Some(column) => header
                .iter()
                .position(|name| trimmed(name) == column.trim().as_bytes())
                .ok_or_else(|| {
                    unusable(format!("it has no column \"{column}\"; see its first line"))
                })?,
        };
        let mut order = Vec::new();
        let mut records: BTreeMap<Vec<u8>, Vec<ByteRecord>> = BTreeMap::new();
        for record in reader.byte_records() {
            let record = record.map_err(|why| unusable(why.to_string()))?;
            let person = trimmed(record.get(place).unwrap_or_default()).to_vec();
            if person.is_empty() {
                continue;
            }
            let of_person = records.entry(person.clone()).or_default();
            if of_person.is_empty() {
                order.push(person);
            }
            of_person.push(record);
        }
        let total = order.len();
        if total < count {
            return Err(unusable(format!(
                "it has {}, and {count} are to take part; choose a smaller --people or another --person",
                counted(total, "person", "people")
            )));
        }
        let taken: Vec<_> = (0..count)
            .map(|place| &records[&order[place * total / count]])
            .collect();
        let several = taken.iter().filter(|records| records.len() > 1).count();
        let taken = taken
            .into_iter()
            .map(|records| write(&header, records))
            .collect::<Result<_, _>>()
            .map_err(|why| unusable(why.to_string()))?;
        Ok(Self {
            table: proposal.table,
            source,
            column: String::from_utf8_lossy(trimmed(header.get(place).unwrap_or_default()))
                .into_owned(),
            total,
            taken,
            several,
        })
    }
}

fn trimmed(cell: &[u8]) -> &[u8] {
    cell.strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(cell)
        .trim_ascii()
}

fn write(header: &ByteRecord, records: &[ByteRecord]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(Vec::new());
    writer.write_byte_record(header)?;
    for record in records {
        writer.write_byte_record(record)?;
    }
    writer
        .into_inner()
        .map_err(|why| csv::Error::from(why.into_error()))
}

/// The file's name as SQL can use it without quotes.
fn table_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut name: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert_str(0, "t_");
    }
    name
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn tables_are_named_after_files() {
        let name = |path: &str| table_name(Path::new(path));
        assert_eq!(name("/tmp/Sleep Diary-2.csv"), "sleep_diary_2");
        assert_eq!(name("2024.csv"), "t_2024");
        assert_eq!(name(""), "t_");
    }

    #[test]
    fn people_are_taken_evenly_with_all_their_records() {
        let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
        let mut text = "id,x\n".to_owned();
        for person in 0..20 {
            text += &format!("p{person},1\n p{person} ,2\n");
        }
        file.write_all(text.as_bytes()).unwrap();
        let people = People::read(Some(file.path()), None, 10).unwrap();
        assert_eq!((people.total, people.taken.len()), (20, 10));
        assert_eq!(people.several, 10);
        assert_eq!(people.column, "id");
        let third = String::from_utf8(people.taken[2].clone()).unwrap();
        assert_eq!(third, "id,x\np4,1\n p4 ,2\n");
        let refused = People::read(Some(file.path()), None, 21).err().unwrap();
        assert!(refused.to_string().contains("it has 20 people"));
        let refused = People::read(Some(file.path()), Some("y"), 2).err().unwrap();
        assert!(refused.to_string().contains("no column \"y\""));
    }

    #[test]
    fn the_file_that_comes_along_has_its_people() {
        let people = People::read(None, None, 12).unwrap();
        assert_eq!(people.table.name, "nhanes_2017_2018");
        assert_eq!((people.column.as_str(), people.total), ("person_id", 8366));
        assert_eq!(people.several, 0);
    }
}
